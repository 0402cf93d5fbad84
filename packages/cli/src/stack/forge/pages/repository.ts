import { html, type Html } from '../../web/html.ts';
import type { Forge, Repository } from '../forge.ts';
import { branchesNamed, type Commit, commits } from '../objects.ts';
import type { PullState } from '../state.ts';
import { layout, when } from './layout.ts';

export const pathOf = ({ owner, name }: Repository): string => `/${owner}/${name}`;
export const stateOf = (pull: PullState): 'open' | 'merged' | 'closed' => (pull.merged ? 'merged' : pull.state);
export const stateBadge = (pull: PullState): Html => html`<span class="badge ${stateOf(pull)}">${stateOf(pull)}</span>`;

export function repositoriesPage(forge: Forge): Html {
  const rows = forge.store.all().map((repository) => {
    const open = repository.pulls.filter(({ state }) => state === 'open').length;
    return html`<li><div class="grow"><a href="${pathOf(repository)}"><strong>${repository.owner}/${repository.name}</strong></a>
<div class="quiet">${repository.description}</div></div><span class="quiet">${open} open</span><span class="quiet">${when(repository.updatedAt)}</span></li>`;
  });
  const list =
    rows.length === 0 ? html`<p class="quiet">No repositories yet.</p>` : html`<ul class="rows">${rows}</ul>`;
  return layout('Repositories', [], html`<h1>Repositories</h1>${list}`);
}

const MAX_COMMITS = 15;
const FILTERS = ['all', 'open', 'closed'];

/** Pull requests (all, `open` or `closed`) and the newest commits of the default branch. */
export async function repositoryPage(forge: Forge, repository: Repository, state: string): Promise<Html> {
  const git = forge.git(repository);
  const head = (await branchesNamed(git, [repository.defaultBranch]))[repository.defaultBranch];
  const recent = head === undefined ? [] : await commits(git, head, MAX_COMMITS);
  const pulls = repository.pulls.filter((pull) => state === 'all' || pull.state === state).reverse();
  const title = `${repository.owner}/${repository.name}`;
  const choice = (name: string) =>
    html`<a href="${pathOf(repository)}/pulls?state=${name}"${name === state && html` aria-current="page"`}>${name}</a>`;
  return layout(
    title,
    [[title, pathOf(repository)]],
    html`<h1>${title}</h1><p class="quiet">${repository.description}</p>
<p class="quiet">Clone: <code>git clone ${forge.url}${pathOf(repository)}.git</code></p>
<h2>Pull requests</h2><nav class="filter" aria-label="Which pull requests">${FILTERS.map(choice)}</nav>
${pulls.length === 0 ? html`<p class="quiet">None.</p>` : html`<ul class="rows">${pulls.map((pull) => pullRow(repository, pull))}</ul>`}
<h2>Commits on ${repository.defaultBranch}</h2>
${recent.length === 0 ? html`<p class="quiet">The branch is empty.</p>` : html`<ul class="rows">${recent.map(commitRow)}</ul>`}`,
  );
}

const pullRow = (repository: Repository, pull: PullState): Html =>
  html`<li>${stateBadge(pull)}<div class="grow"><a href="${pathOf(repository)}/pulls/${pull.number}">${pull.title}</a>
<div class="quiet">#${pull.number} by ${pull.author}, ${pull.head} into ${pull.base}</div></div><span class="quiet">${when(pull.updatedAt)}</span></li>`;

export const commitRow = ({ sha, message, author }: Commit): Html =>
  html`<li><code>${sha.slice(0, 10)}</code><div class="grow">${message.split('\n')[0]}</div><span class="quiet">${author.name}</span><span class="quiet">${when(author.date)}</span></li>`;

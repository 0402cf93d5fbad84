import { html, type Html } from '../../web/html.ts';
import { markdown } from '../../web/markdown.ts';
import { latestByContext } from '../api/statuses.ts';
import { EMPTY_TREE, type Forge, type Repository } from '../forge.ts';
import { commits, diff } from '../objects.ts';
import { headsOf, pullFacts, type PullFacts } from '../payloads.ts';
import type { CommentState, PullState, StatusState } from '../state.ts';
import { diffView, parseDiff } from './diff.ts';
import { layout, when } from './layout.ts';
import { commitRow, pathOf, stateBadge, stateOf } from './repository.ts';

/** One pull request: what it says, how it stands, the buttons, and the bytes it changes. */
export async function pullPage(
  forge: Forge,
  repository: Repository,
  pull: PullState,
  csrf: string,
  notice: string | undefined,
): Promise<Html> {
  const git = forge.git(repository);
  const facts = await pullFacts(forge, repository, pull, await headsOf(forge, repository, [pull]));
  const from = facts.mergeBase || EMPTY_TREE;
  const changed = parseDiff((await diff(git, from, facts.headSha, false)).toString('utf8'));
  const own = await commits(git, from === EMPTY_TREE ? facts.headSha : `${from}..${facts.headSha}`, 50);
  const statuses = latestByContext(repository.statuses.filter(({ sha }) => sha === facts.headSha).reverse());
  const title = `${repository.owner}/${repository.name}`;
  const url = `${pathOf(repository)}/pulls/${pull.number}`;
  return layout(
    `${pull.title} · ${title} #${pull.number}`,
    [
      [title, pathOf(repository)],
      [`#${pull.number}`, url],
    ],
    html`<h1>${pull.title} <span class="quiet">#${pull.number}</span></h1>
<p class="meta">${stateBadge(pull)}<span><strong>${pull.author}</strong> proposes <code>${pull.head}</code> into <code>${pull.base}</code></span><span class="quiet">${when(pull.createdAt)}</span></p>
${notice !== undefined && html`<p class="notice" role="alert">${notice}</p>`}
<section class="card body">${pull.body.trim() === '' ? html`<p class="quiet">No description.</p>` : markdown(pull.body)}</section>
${statuses.length > 0 && html`<h2>Checks</h2><ul class="rows">${statuses.map(statusRow)}</ul>`}
<h2>Decision</h2><section class="card">${decision(forge, pull, facts, url, csrf)}</section>
${comments(repository, pull)}
<h2>${own.length === 1 ? '1 commit' : `${own.length} commits`}</h2><ul class="rows">${own.map(commitRow)}</ul>
<h2>${changed.length === 1 ? '1 file' : `${changed.length} files`} changed</h2>${diffView(changed, `${url}.diff`)}`,
  );
}

const statusRow = ({ state, context, description, targetUrl }: StatusState): Html => {
  const link = /^https?:\/\//.test(targetUrl) && html` <a href="${targetUrl}" rel="noopener">details</a>`;
  return html`<li><span class="badge ${state}">${state}</span><div class="grow"><strong>${context}</strong> <span class="quiet">${description}</span></div>${link}</li>`;
};

/** What became of it, or the buttons. */
function decision(forge: Forge, pull: PullState, facts: PullFacts, url: string, csrf: string): Html {
  if (pull.merged) {
    return html`<p>Merged by <strong>${pull.merged.by}</strong> ${when(pull.merged.at)} as <code>${pull.merged.commit.slice(0, 10)}</code>.</p>`;
  }
  if (stateOf(pull) === 'closed')
    return html`<p>Closed without merging${pull.closedAt !== undefined && html` ${when(pull.closedAt)}`}.</p>`;
  const persons = forge.users.all.filter(({ person }) => person);
  if (persons.length === 0) return html`<p class="quiet">Nobody may decide here: mark a user with "person": true.</p>`;
  const who =
    persons.length === 1
      ? html`<span class="quiet">as <strong>${persons[0]?.name}</strong></span>`
      : html`<label class="quiet">as <select name="as">${persons.map(({ name }) => html`<option>${name}</option>`)}</select></label>`;
  const hidden = html`<input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="head_commit_id" value="${facts.headSha}">`;
  const merge = html`<button class="go" formaction="${url}/merge">Merge ${facts.headSha.slice(0, 10)}</button>`;
  const close = html`<button class="stop" formaction="${url}/close">Close</button>`;
  const why = facts.mergeable
    ? undefined
    : html`<p class="quiet">It cannot be merged: it is in conflict with <code>${pull.base}</code>, or marked as work in progress.</p>`;
  return html`${why}<form method="post">${hidden}${facts.mergeable && merge}${close}${who}</form>`;
}

function comments(repository: Repository, { number }: PullState): Html {
  const own = repository.comments.filter((comment) => comment.number === number);
  return own.length === 0 ? html`` : html`<h2>Comments</h2>${own.map(commentView)}`;
}

const commentView = ({ id, author, body, createdAt }: CommentState): Html =>
  html`<article class="card body" id="issuecomment-${id}"><p class="quiet"><strong>${author}</strong> ${when(createdAt)}</p>${markdown(body)}</article>`;

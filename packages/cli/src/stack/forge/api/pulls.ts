import { json, refuse } from '../../web/http.ts';
import type { Call, Reply, Route } from '../../web/router.ts';
import { EMPTY_TREE, type Forge, now, pullOf, type Repository, repositoryOf } from '../forge.ts';
import { MERGE_STYLES, mergePull, type MergeOptions } from '../merge.ts';
import { changedFiles, commits, diff } from '../objects.ts';
import { headsOf, pullFacts, pullPayload, reviewPayload, webBase } from '../payloads.ts';
import { editPull, openPull } from '../pulls.ts';
import type { PullState } from '../state.ts';
import { empty, type Fields, paged, readFields } from './input.ts';
import { commitsReply } from './repositories.ts';
import type { Signed, SignedCall } from './signed.ts';

const PULLS = '/repos/:owner/:repo/pulls';

export const pullRoutes = (forge: Forge, signed: Signed): Route[] => [
  { method: 'GET', path: PULLS, answer: (call) => listPulls(forge, call) },
  { method: 'POST', path: PULLS, answer: signed((asked) => postPull(forge, asked)) },
  { method: 'GET', path: `${PULLS}/:number`, answer: (call) => getPull(forge, call) },
  { method: 'PATCH', path: `${PULLS}/:number`, answer: signed((asked) => patchPull(forge, asked)) },
  { method: 'GET', path: `${PULLS}/:number/merge`, answer: (call) => empty(isMerged(forge, call) ? 204 : 404) },
  { method: 'POST', path: `${PULLS}/:number/merge`, answer: signed((asked) => postMerge(forge, asked)) },
  { method: 'GET', path: `${PULLS}/:number/files`, answer: (call) => listFiles(forge, call) },
  { method: 'GET', path: `${PULLS}/:number/commits`, answer: (call) => listCommits(forge, call) },
  { method: 'GET', path: `${PULLS}/:number/reviews`, answer: (call) => listReviews(forge, call) },
  {
    method: 'POST',
    path: `${PULLS}/:number/requested_reviewers`,
    answer: signed((asked) => requestReviewers(forge, asked)),
  },
  // Last: a head may hold slashes, so this fits every longer path.
  { method: 'GET', path: `${PULLS}/:base/*head`, answer: (call) => findPull(forge, call) },
];

function mergeOptions(wanted: Fields): MergeOptions {
  const style = wanted.required('Do');
  const known = MERGE_STYLES.find((name) => name === style);
  if (style === 'rebase-merge' || style === 'manually-merged') {
    refuse(405, `${style} is not allowed an allowed merge style for this repository`);
  }
  const [headCommit, title, message] = [
    wanted.text('head_commit_id'),
    wanted.text('MergeTitleField'),
    wanted.text('MergeMessageField'),
  ];
  return {
    style: known ?? refuse(422, `[Do]: In ${MERGE_STYLES.join(',')}`),
    ...(headCommit ? { headCommit } : {}),
    ...(title ? { title } : {}),
    ...(message ? { message } : {}),
    deleteBranch: wanted.flag('delete_branch_after_merge'),
  };
}

const repositoryIn = (forge: Forge, { params }: Call) => repositoryOf(forge, params['owner'], params['repo']);

async function showPull(forge: Forge, { owner, name }: Repository, number: number, status: number): Promise<Reply> {
  const fresh = repositoryOf(forge, owner, name);
  const pull = pullOf(fresh, number);
  return json(status, await pullPayload(forge, fresh, pull, await headsOf(forge, fresh, [pull])));
}

async function listPulls(forge: Forge, call: Call): Promise<Reply> {
  const repository = repositoryIn(forge, call);
  const state = call.query.get('state') || 'open';
  const base = call.query.get('base_branch');
  const found = repository.pulls
    .filter((pull) => (state === 'all' || pull.state === state) && (base === null || pull.base === base))
    .sort(pullOrder(call.query.get('sort') ?? ''));
  const { items, headers } = paged(call, found);
  const heads = await headsOf(forge, repository, items);
  const shown = await Promise.all(items.map((pull) => pullPayload(forge, repository, pull, heads)));
  return json(200, shown, headers);
}

function pullOrder(sort: string): (a: PullState, b: PullState) => number {
  if (sort === 'oldest') return (a, b) => a.number - b.number;
  if (sort === 'recentupdate') return (a, b) => b.updatedAt.localeCompare(a.updatedAt) || b.number - a.number;
  return (a, b) => b.number - a.number;
}

/** `/pulls/7` is the pull request as JSON, `/pulls/7.diff` (or `.patch`, here the same) its text. */
async function getPull(forge: Forge, call: Call): Promise<Reply> {
  const repository = repositoryIn(forge, call);
  const [, number, kind] = /^(\d+)(?:\.(diff|patch))?$/.exec(call.params['number'] ?? '') ?? [];
  const pull = pullOf(repository, number);
  if (kind === undefined) return showPull(forge, repository, pull.number, 200);
  return pullDiff(forge, repository, pull, call.query.get('binary') === 'true');
}

/** The pull request's own changes, as text. */
export async function pullDiff(forge: Forge, repository: Repository, pull: PullState, binary: boolean): Promise<Reply> {
  const [from, to] = await rangeOf(forge, repository, pull);
  const body = await diff(forge.git(repository), from, to, binary);
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

/** Merge base and head: the two commits between which a pull request's changes lie. */
async function rangeOf(forge: Forge, repository: Repository, pull: PullState): Promise<[string, string]> {
  const heads = await headsOf(forge, repository, [pull]);
  const { mergeBase, headSha } = await pullFacts(forge, repository, pull, heads);
  return [mergeBase || EMPTY_TREE, headSha];
}

async function findPull(forge: Forge, call: Call): Promise<Reply> {
  const repository = repositoryIn(forge, call);
  const head = (call.params['head'] ?? '').replace(new RegExp(`^${repository.owner}(/${repository.name})?:`), '');
  // Like Gitea: the first of the pair, whatever its state.
  const found = repository.pulls.find((pull) => pull.base === call.params['base'] && pull.head === head);
  return found ? showPull(forge, repository, found.number, 200) : refuse(404, "The target couldn't be found.");
}

const isMerged = (forge: Forge, call: Call): boolean =>
  pullOf(repositoryIn(forge, call), call.params['number']).merged !== undefined;

async function listFiles(forge: Forge, call: Call): Promise<Reply> {
  const repository = repositoryIn(forge, call);
  const [from, to] = await rangeOf(forge, repository, pullOf(repository, call.params['number']));
  const { items, headers } = paged(call, await changedFiles(forge.git(repository), from, to));
  const api = `${forge.url}/api/v1/repos/${repository.owner}/${repository.name}`;
  const shown = items.map(({ path, previous, status, additions, deletions }) => {
    const file = path.split('/').map(encodeURIComponent).join('/');
    return {
      filename: path,
      ...(previous === undefined ? {} : { previous_filename: previous }),
      status,
      additions,
      deletions,
      changes: additions + deletions,
      html_url: `${webBase(forge, repository)}/src/commit/${to}/${file}`,
      contents_url: `${api}/contents/${file}?ref=${to}`,
      raw_url: `${api}/raw/${file}?ref=${to}`,
    };
  });
  return json(200, shown, headers);
}

async function listCommits(forge: Forge, call: Call): Promise<Reply> {
  const repository = repositoryIn(forge, call);
  const [from, to] = await rangeOf(forge, repository, pullOf(repository, call.params['number']));
  const range = from === EMPTY_TREE ? to : `${from}..${to}`;
  return commitsReply(forge, repository, call, await commits(forge.git(repository), range, 1_000));
}

function listReviews(forge: Forge, call: Call): Reply {
  const repository = repositoryIn(forge, call);
  const pull = pullOf(repository, call.params['number']);
  const { items, headers } = paged(call, pull.reviewers);
  return json(
    200,
    items.map((name) => reviewPayload(forge, repository, pull, name)),
    headers,
  );
}

async function postPull(forge: Forge, { user, repository, call }: SignedCall): Promise<Reply> {
  const wanted = await readFields(call);
  const number = await openPull(forge, repository, user, {
    head: wanted.required('head'),
    base: wanted.required('base'),
    title: wanted.required('title'),
    body: wanted.text('body') ?? '',
    labels: wanted.list('labels').map(Number),
  });
  return showPull(forge, repository, number, 201);
}

async function patchPull(forge: Forge, { user, repository, call, params }: SignedCall): Promise<Reply> {
  const { number } = pullOf(repository, params['number']);
  const wanted = await readFields(call);
  const [title, body, state] = [wanted.text('title'), wanted.text('body'), wanted.text('state')];
  await editPull(forge, repository, user, number, {
    ...(title === undefined ? {} : { title }),
    ...(body === undefined ? {} : { body }),
    ...(state === undefined ? {} : { state }),
  });
  // Gitea itself notes that 200 would be right here; clients know it as 201.
  return showPull(forge, repository, number, 201);
}

async function postMerge(forge: Forge, { user, repository, call, params }: SignedCall): Promise<Reply> {
  const { number } = pullOf(repository, params['number']);
  await mergePull(forge, repository, user, number, mergeOptions(await readFields(call)));
  return empty(200);
}

async function requestReviewers(forge: Forge, { repository, call, params }: SignedCall): Promise<Reply> {
  const names = (await readFields(call)).list('reviewers').map(String);
  for (const name of names) if (!forge.users.find(name)) refuse(404, `user '${name}' not exist`);
  const pull = await forge.store.change(repository, (draft) => {
    const pull = pullOf(draft, params['number']);
    if (names.includes(pull.author)) refuse(422, `poster of pr can't be reviewer [user: ${pull.author}]`);
    pull.reviewers = [...new Set([...pull.reviewers, ...names])];
    pull.updatedAt = now(forge);
    return pull;
  });
  return json(
    201,
    names.map((name) => reviewPayload(forge, repository, pull, name)),
  );
}

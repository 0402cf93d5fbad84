import {
  closePull,
  type FakePull,
  type FakeRepository,
  mergeability,
  mergePull,
  openingProblem,
  openPull,
  refresh,
  testMerge,
} from './repository.ts';
import { type FakeReply, type FakeRequest, type FakeRoute, linkOf, pageOf, textIn } from './web.ts';

/** What the parts of the fake GitHub share. */
export type FakeGithub = {
  /** Base of the API. */
  readonly api: () => string;
  readonly repositories: Map<string, FakeRepository>;
  readonly collaborators: ReadonlySet<string>;
  readonly pageCap: number;
};

export const REPO = '/repos/([^/]+/[^/]+)';
export const notFound: FakeReply = { status: 404, body: { message: 'Not Found', status: '404' } };
export const invalid = (message: string): FakeReply => ({
  status: 422,
  body: { message: 'Validation Failed', errors: [{ resource: 'PullRequest', code: 'custom', message }] },
});
export const userOf = (login: string) => ({ login, type: 'User' });

/** Runs `answer` with the repository of the path, brought up to date with Git. */
export const inRepository =
  (github: FakeGithub, answer: (repository: FakeRepository, request: FakeRequest) => FakeReply | Promise<FakeReply>) =>
  async (request: FakeRequest): Promise<FakeReply> => {
    const repository = github.repositories.get(request.params[0] ?? '');
    if (repository === undefined) return notFound;
    await refresh(repository);
    return answer(repository, request);
  };

/** The same with the pull request of the path. */
export const onPull = (
  github: FakeGithub,
  answer: (pull: FakePull, request: FakeRequest, repository: FakeRepository) => FakeReply | Promise<FakeReply>,
) =>
  inRepository(github, (repository, request) => {
    const pull = repository.pulls.find(({ number }) => String(number) === request.params[1]);
    return pull === undefined ? notFound : answer(pull, request, repository);
  });

export const githubPullRoutes = (github: FakeGithub): FakeRoute[] => [
  {
    method: 'GET',
    path: new RegExp(`^${REPO}/pulls$`),
    answer: inRepository(github, (repository, request) => list(github, repository, request)),
  },
  {
    method: 'POST',
    path: new RegExp(`^${REPO}/pulls$`),
    answer: inRepository(github, (repository, request) => create(github, repository, request)),
  },
  {
    method: 'GET',
    path: new RegExp(`^${REPO}/pulls/(\\d+)$`),
    answer: onPull(github, async (pull, _request, repository) => ({
      status: 200,
      body: await single(github, repository, pull),
    })),
  },
  {
    method: 'PATCH',
    path: new RegExp(`^${REPO}/pulls/(\\d+)$`),
    answer: onPull(github, (pull, request, repository) => edit(github, pull, request, repository)),
  },
  {
    method: 'PUT',
    path: new RegExp(`^${REPO}/pulls/(\\d+)/merge$`),
    answer: onPull(github, (pull, request, repository) => merge(pull, request, repository)),
  },
  {
    method: 'GET',
    path: new RegExp(`^${REPO}/issues/(\\d+)$`),
    answer: onPull(github, ({ number, state, endedBy }) => ({
      status: 200,
      body: { number, state, closed_by: state !== 'open' && endedBy !== undefined ? userOf(endedBy) : null },
    })),
  },
];

/** As a list shows it: neither who merged it nor whether it can be. */
async function listed({ api }: FakeGithub, repository: FakeRepository, pull: FakePull) {
  const { number, title, body, draft, labels, reviewers, head, headSha, base, state, fork } = pull;
  const test = state === 'open' ? await testMerge(repository, pull) : undefined;
  const [owner = '', name = ''] = repository.full.split('/');
  return {
    number,
    node_id: `PR_${number}`,
    html_url: `${api()}/${repository.full}/pull/${number}`,
    state: state === 'open' ? 'open' : 'closed',
    title,
    // An empty body is none.
    body: body === '' ? null : body,
    draft,
    user: userOf(pull.author),
    labels: labels.map((label) => ({ name: label })),
    requested_reviewers: reviewers.map(userOf),
    merged_at: state === 'merged' ? pull.endedAt : null,
    closed_at: pull.endedAt ?? null,
    merge_commit_sha: pull.mergeCommit ?? test ?? null,
    head: {
      ref: head,
      label: `${fork ?? owner}:${head}`,
      sha: headSha,
      repo: { full_name: fork === undefined ? repository.full : `${fork}/${name}-fork`, fork: fork !== undefined },
    },
    base: { ref: base, repo: { full_name: repository.full } },
  };
}

async function single(github: FakeGithub, repository: FakeRepository, pull: FakePull) {
  const { state, endedBy, draft, approvedBy } = pull;
  const can = state === 'open' ? await mergeability(repository, pull) : 'unknown';
  const isBlocked = approvedBy.length < repository.rules.approvals || repository.rules.queue;
  const open = { unknown: 'unknown', conflict: 'dirty', clean: isBlocked ? 'blocked' : 'clean' }[can];
  return {
    ...(await listed(github, repository, pull)),
    merged: state === 'merged',
    merged_by: state === 'merged' && endedBy !== undefined ? userOf(endedBy) : null,
    mergeable: can === 'unknown' ? null : can === 'clean',
    mergeable_state: draft ? 'draft' : open,
  };
}

async function list(github: FakeGithub, repository: FakeRepository, request: FakeRequest): Promise<FakeReply> {
  const { query } = request;
  const state = query.get('state') ?? 'open';
  const [user, ref] = (query.get('head') ?? '').split(/:(.*)/s);
  const [owner = ''] = repository.full.split('/');
  const found = repository.pulls
    .filter((pull) => state === 'all' || (pull.state === 'open') === (state === 'open'))
    .filter(({ base }) => query.get('base') === null || base === query.get('base'))
    // Without an owner the filter is not looked at.
    .filter((pull) => ref === undefined || ((pull.fork ?? owner) === user && pull.head === ref));
  const order = (query.get('direction') ?? 'desc') === 'asc' ? 1 : -1;
  const page = pageOf(
    query,
    found.sort((a, b) => order * (a.number - b.number)),
    30,
    github.pageCap,
  );
  const body = [];
  for (const pull of page.items) body.push(await listed(github, repository, pull));
  return { status: 200, body, headers: linkOf(github.api(), request, page) };
}

const LONGEST_BODY = 65_536;
const LONGEST_TITLE = 256;

async function create(github: FakeGithub, repository: FakeRepository, request: FakeRequest): Promise<FakeReply> {
  const { body: wanted, user } = request;
  const [owner = ''] = repository.full.split('/');
  const [title = '', base = '', body = ''] = ['title', 'base', 'body'].map((name) => textIn(wanted, name));
  const head = (textIn(wanted, 'head') ?? '').replace(new RegExp(`^${owner}:`), '');
  const problem = textProblem(title, body) ?? (await openingProblem(repository, { title, body, head, base }));
  if (problem === 'exists') return invalid(`A pull request already exists for ${owner}:${head}.`);
  if (problem === 'no commits') return invalid(`No commits between ${base} and ${head}`);
  if (problem === 'no head' || problem === 'no base') {
    const errors = [{ resource: 'PullRequest', field: problem.slice(3), code: 'invalid' }];
    return { status: 422, body: { message: 'Validation Failed', errors } };
  }
  if (problem !== undefined) return invalid(problem);
  const pull = await openPull(repository, { title, body, head, base }, user);
  return { status: 201, body: await single(github, repository, pull) };
}

function textProblem(title: string, body: string): string | undefined {
  if (title.trim() === '') return "title can't be blank";
  if (Array.from(title).length > LONGEST_TITLE) return `title is too long (maximum is ${LONGEST_TITLE} characters)`;
  return Array.from(body).length > LONGEST_BODY
    ? `body is too long (maximum is ${LONGEST_BODY} characters)`
    : undefined;
}

async function edit(
  github: FakeGithub,
  pull: FakePull,
  { body: wanted, user }: FakeRequest,
  repository: FakeRepository,
): Promise<FakeReply> {
  const [title, body, state] = ['title', 'body', 'state'].map((name) => textIn(wanted, name));
  const problem = textProblem(title ?? pull.title, body ?? pull.body);
  if (problem !== undefined) return invalid(problem);
  if (state !== undefined && pull.state === 'merged')
    return invalid('Cannot change the state of a merged pull request.');
  Object.assign(pull, title === undefined ? {} : { title }, body === undefined ? {} : { body });
  if (state === 'closed') closePull(pull, user);
  return { status: 200, body: await single(github, repository, pull) };
}

const refusal = (status: number, message: string): FakeReply => ({ status, body: { message } });

async function merge(pull: FakePull, { body, user }: FakeRequest, repository: FakeRepository): Promise<FakeReply> {
  if (pull.state !== 'open') return refusal(405, 'Pull Request is not mergeable');
  if (pull.draft) return refusal(405, 'Pull Request is still a draft');
  const sha = textIn(body, 'sha');
  if (sha !== undefined && sha !== pull.headSha)
    return refusal(409, 'Head branch was modified. Review and try the merge again.');
  const { approvals, queue } = repository.rules;
  if (pull.approvedBy.length < approvals) {
    return refusal(405, `At least ${approvals} approving review is required by reviewers with write access.`);
  }
  if (queue) return refusal(405, 'Repository rule violations found\n\nChanges must be made through the merge queue');
  if ((await mergeability(repository, pull)) === 'unknown')
    return refusal(405, 'Base branch was modified. Review and try the merge again.');
  const title = textIn(body, 'commit_title') ?? `Merge pull request #${pull.number} from ${pull.head}`;
  const text = textIn(body, 'commit_message') ?? (textIn(body, 'commit_title') === undefined ? pull.title : '');
  const message = [title, text].filter((part) => part !== '').join('\n\n');
  if (!(await mergePull(repository, pull, user, message))) return refusal(405, 'Pull Request is not mergeable');
  return { status: 200, body: { sha: pull.mergeCommit, merged: true, message: 'Pull Request successfully merged' } };
}

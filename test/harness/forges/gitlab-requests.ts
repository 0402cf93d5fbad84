import {
  closePull,
  type FakePull,
  type FakeRepository,
  mergeability,
  mergePull,
  newId,
  openingProblem,
  openPull,
  refresh,
} from './repository.ts';
import { type FakeReply, type FakeRequest, type FakeRoute, linkOf, listIn, pageOf, textIn } from './web.ts';

/** What the parts of the fake GitLab share. */
export type FakeGitlab = {
  /** Base of the API. */
  readonly api: () => string;
  readonly projects: Map<string, FakeRepository>;
  /** Login → id. */
  readonly users: ReadonlyMap<string, number>;
  readonly pageCap: number;
  /** Releases before 15.6 know `merge_status` only. */
  readonly isOld: boolean;
};

export const PROJECT = '/projects/([^/]+)';
const LONGEST_BODY = 1_000_000;
const LONGEST_TITLE = 255;

export const notFound: FakeReply = { status: 404, body: { message: '404 Project Not Found' } };
export const refusal = (status: number, message: unknown): FakeReply => ({ status, body: { message } });

/** Runs `answer` with the project of the path (its encoded name or its id), brought up to date with Git. */
export const inProject =
  (gitlab: FakeGitlab, answer: (project: FakeRepository, request: FakeRequest) => FakeReply | Promise<FakeReply>) =>
  async (request: FakeRequest): Promise<FakeReply> => {
    const [name = ''] = request.params;
    const project = gitlab.projects.get(name) ?? [...gitlab.projects.values()].find(({ id }) => String(id) === name);
    if (project === undefined) return notFound;
    await refresh(project);
    return answer(project, request);
  };

/** The same with the merge request of the path. */
export const onRequest = (
  gitlab: FakeGitlab,
  answer: (pull: FakePull, request: FakeRequest, project: FakeRepository) => FakeReply | Promise<FakeReply>,
) =>
  inProject(gitlab, (project, request) => {
    const pull = project.pulls.find(({ number }) => String(number) === request.params[1]);
    return pull === undefined ? refusal(404, '404 Not found') : answer(pull, request, project);
  });

export const gitlabRequestRoutes = (gitlab: FakeGitlab): FakeRoute[] => [
  {
    method: 'GET',
    path: new RegExp(`^${PROJECT}$`),
    answer: inProject(gitlab, ({ id, full, rules }) => ({
      status: 200,
      body: { id, path_with_namespace: full, merge_trains_enabled: rules.queue },
    })),
  },
  {
    method: 'GET',
    path: new RegExp(`^${PROJECT}/merge_requests$`),
    answer: inProject(gitlab, (project, request) => list(gitlab, project, request)),
  },
  {
    method: 'POST',
    path: new RegExp(`^${PROJECT}/merge_requests$`),
    answer: inProject(gitlab, (project, request) => create(gitlab, project, request)),
  },
  {
    method: 'GET',
    path: new RegExp(`^${PROJECT}/merge_requests/(\\d+)$`),
    answer: onRequest(gitlab, async (pull, _request, project) => ({
      status: 200,
      body: { ...(await payload(gitlab, project, pull, true)), user: { can_merge: true } },
    })),
  },
  {
    method: 'PUT',
    path: new RegExp(`^${PROJECT}/merge_requests/(\\d+)$`),
    answer: onRequest(gitlab, (pull, request, project) => edit(gitlab, pull, request, project)),
  },
  {
    method: 'PUT',
    path: new RegExp(`^${PROJECT}/merge_requests/(\\d+)/merge$`),
    answer: onRequest(gitlab, (pull, request, project) => merge(gitlab, pull, request, project)),
  },
];

const STATES = { open: 'opened', closed: 'closed', merged: 'merged' } as const;

/** `look`: asking for one begins the computation of whether it can be merged; a list tells what is known. */
async function payload({ api, users, isOld }: FakeGitlab, project: FakeRepository, pull: FakePull, look: boolean) {
  const { number, state, endedBy, endedAt, mergeCommit, fork } = pull;
  const who = (name: string | undefined) => (name === undefined ? null : { id: users.get(name) ?? 0, username: name });
  const status = look ? await mergeStatus(project, pull) : 'unchecked';
  // Git's side of it alone.
  const old = { mergeable: 'can_be_merged', not_approved: 'can_be_merged', conflict: 'cannot_be_merged' }[status];
  return {
    id: project.id * 1_000 + number,
    iid: number,
    project_id: project.id,
    title: pull.title,
    description: pull.body === '' ? null : pull.body,
    state: STATES[state],
    created_at: pull.createdAt,
    source_branch: pull.head,
    target_branch: pull.base,
    source_project_id: fork === undefined ? project.id : 9_999,
    target_project_id: project.id,
    author: who(pull.author),
    reviewers: pull.reviewers.map(who),
    labels: pull.labels,
    draft: pull.draft,
    sha: pull.headSha,
    merge_commit_sha: mergeCommit ?? null,
    squash_commit_sha: null,
    merged_at: state === 'merged' ? endedAt : null,
    merge_user: state === 'merged' ? who(endedBy) : null,
    closed_at: state === 'closed' ? endedAt : null,
    closed_by: state === 'closed' ? who(endedBy) : null,
    merge_status: old ?? 'unchecked',
    ...(isOld ? {} : { detailed_merge_status: status }),
    merge_when_pipeline_succeeds: false,
    web_url: `${api()}/${project.full}/-/merge_requests/${number}`,
  };
}

/** `detailed_merge_status`, checked in the background. */
async function mergeStatus(project: FakeRepository, pull: FakePull): Promise<string> {
  if (pull.state !== 'open') return 'not_open';
  if (pull.draft) return 'draft_status';
  const can = await mergeability(project, pull);
  if (can !== 'clean') return can === 'unknown' ? 'checking' : 'conflict';
  return pull.approvedBy.length < project.rules.approvals ? 'not_approved' : 'mergeable';
}

async function list(gitlab: FakeGitlab, project: FakeRepository, request: FakeRequest): Promise<FakeReply> {
  const { query } = request;
  const [state, source, target] = ['state', 'source_branch', 'target_branch'].map((name) => query.get(name));
  const found = project.pulls
    .filter((pull) => (state ?? 'all') === 'all' || STATES[pull.state] === state)
    .filter(({ head, base }) => (source ?? head) === head && (target ?? base) === base);
  const order = query.get('sort') === 'asc' ? 1 : -1;
  const page = pageOf(
    query,
    found.sort((a, b) => order * (a.number - b.number)),
    20,
    gitlab.pageCap,
  );
  const body = [];
  for (const pull of page.items) body.push(await payload(gitlab, project, pull, false));
  // No count: GitLab leaves it out of long lists.
  const pages = { 'x-page': String(page.page), 'x-next-page': page.more ? String(page.page + 1) : '' };
  return { status: 200, body, headers: { ...pages, ...linkOf(gitlab.api(), request, page) } };
}

const namesIn = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

async function create(gitlab: FakeGitlab, project: FakeRepository, request: FakeRequest): Promise<FakeReply> {
  const { body: wanted, user } = request;
  const [head = '', base = '', title = ''] = ['source_branch', 'target_branch', 'title'].map((n) => textIn(wanted, n));
  const body = textIn(wanted, 'description') ?? '';
  const problem = textProblem(title, body) ?? (await openingProblem(project, { title, body, head, base }));
  // A merge request without changes may be opened.
  if (problem === 'exists') return duplicate(project, head);
  if (problem === 'no head') return refusal(400, { source_branch: ['does not exist'] });
  if (problem === 'no base') return refusal(400, { target_branch: ['does not exist'] });
  if (typeof problem === 'object') return problem;
  const pull = await openPull(project, { title, body: '', head, base }, user);
  pull.labels.push(...namesIn(textIn(wanted, 'labels') ?? ''));
  pull.reviewers.push(...reviewersIn(gitlab, wanted));
  obey(pull, body, user);
  return { status: 201, body: await payload(gitlab, project, pull, true) };
}

function duplicate({ pulls }: FakeRepository, head: string): FakeReply {
  const twin = pulls.find((pull) => pull.state === 'open' && pull.head === head);
  return refusal(409, [`Another open merge request already exists for this source branch: !${twin?.number ?? 0}`]);
}

/** Ids of users that are not of the project are left out without a word. */
const reviewersIn = ({ users }: FakeGitlab, wanted: FakeRequest['body']): string[] =>
  listIn(wanted, 'reviewer_ids').flatMap((id) => [...users].filter(([, known]) => known === id).map(([name]) => name));

function textProblem(title: string, body: string): FakeReply | undefined {
  if (title.trim() === '') return refusal(400, { title: ["can't be blank"] });
  if (title.length > LONGEST_TITLE)
    return refusal(400, { title: [`is too long (maximum is ${LONGEST_TITLE} characters)`] });
  if (body.length <= LONGEST_BODY) return undefined;
  return refusal(400, { description: [`is too long (maximum is ${LONGEST_BODY} characters)`] });
}

/** Quick actions: lines that begin with a known command are obeyed and do not stay in the text. */
function obey(pull: FakePull, text: string, user: string): void {
  const command = /^\/(close|merge|label|approve|draft|title)\b.*$/gim;
  if (/^\/close\b/im.test(text)) closePull(pull, user);
  if (/^\/draft\b/im.test(text)) pull.draft = true;
  pull.body = command.test(text) ? text.replaceAll(command, '').trim() : text;
}

async function edit(
  gitlab: FakeGitlab,
  pull: FakePull,
  { body: wanted, user }: FakeRequest,
  project: FakeRepository,
): Promise<FakeReply> {
  const [title, body, event] = ['title', 'description', 'state_event'].map((name) => textIn(wanted, name));
  const added = namesIn(textIn(wanted, 'add_labels') ?? '');
  if (title === undefined && body === undefined && event === undefined && added.length === 0)
    return {
      status: 400,
      body: { error: 'title, description, state_event are missing, at least one must be provided' },
    };
  const problem = textProblem(title ?? pull.title, body ?? pull.body);
  if (problem !== undefined) return problem;
  if (title !== undefined) pull.title = title;
  if (body !== undefined) obey(pull, body, user);
  for (const label of added) if (!pull.labels.includes(label)) pull.labels.push(label);
  if (event === 'close' && pull.state === 'open') {
    closePull(pull, user);
    pull.comments.push({ id: newId(), author: user, text: 'closed', system: true });
  }
  return { status: 200, body: await payload(gitlab, project, pull, true) };
}

async function merge(
  gitlab: FakeGitlab,
  pull: FakePull,
  { body, user }: FakeRequest,
  project: FakeRepository,
): Promise<FakeReply> {
  if ((await mergeStatus(project, pull)) !== 'mergeable') return refusal(405, '405 Method Not Allowed');
  const sha = textIn(body, 'sha');
  if (sha !== undefined && sha !== pull.headSha)
    return refusal(409, `SHA does not match HEAD of source branch: ${pull.headSha}`);
  const given = textIn(body, 'merge_commit_message');
  if (given === '') return refusal(422, 'Branch cannot be merged');
  const message = given ?? `Merge branch '${pull.head}' into '${pull.base}'`;
  if (!(await mergePull(project, pull, user, message))) return refusal(422, 'Branch cannot be merged');
  return { status: 200, body: await payload(gitlab, project, pull, true) };
}

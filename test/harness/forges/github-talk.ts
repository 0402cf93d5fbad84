import { commits } from '../../../packages/cli/src/stack/forge/objects.ts';
import { type FakeGithub, inRepository, invalid, notFound, onPull, REPO, userOf } from './github-pulls.ts';
import { type FakeComment, type FakeRepository, mergePull, newId } from './repository.ts';
import { type FakeReply, type FakeRequest, type FakeRoute, linkOf, listIn, pageOf, textIn } from './web.ts';

const commentPayload = ({ id, author, text }: FakeComment) => ({ id, body: text, user: userOf(author) });

export const githubTalkRoutes = (github: FakeGithub): FakeRoute[] => [
  {
    method: 'GET',
    path: new RegExp(`^${REPO}/issues/(\\d+)/comments$`),
    answer: onPull(github, (pull, request) => {
      const page = pageOf(request.query, pull.comments, 30, github.pageCap);
      return { status: 200, body: page.items.map(commentPayload), headers: linkOf(github.api(), request, page) };
    }),
  },
  {
    method: 'POST',
    path: new RegExp(`^${REPO}/issues/(\\d+)/comments$`),
    answer: onPull(github, (pull, { body, user }) => {
      const comment = { id: newId(), author: user, text: textIn(body, 'body') ?? '', system: false };
      pull.comments.push(comment);
      return { status: 201, body: commentPayload(comment) };
    }),
  },
  {
    method: 'PATCH',
    path: new RegExp(`^${REPO}/issues/comments/(\\d+)$`),
    answer: inRepository(github, (repository, { params, body, user }) => {
      const comment = repository.pulls.flatMap(({ comments }) => comments).find(({ id }) => String(id) === params[1]);
      if (comment === undefined) return notFound;
      if (comment.author !== user) return { status: 403, body: { message: 'Must have admin rights to Repository.' } };
      comment.text = textIn(body, 'body') ?? comment.text;
      return { status: 200, body: commentPayload(comment) };
    }),
  },
  {
    method: 'POST',
    path: new RegExp(`^${REPO}/issues/(\\d+)/labels$`),
    answer: onPull(github, (pull, { body }, repository) => {
      for (const label of listIn(body, 'labels').map(String)) {
        repository.labels.add(label);
        if (!pull.labels.includes(label)) pull.labels.push(label);
      }
      return { status: 200, body: pull.labels.map((name) => ({ name })) };
    }),
  },
  {
    method: 'POST',
    path: new RegExp(`^${REPO}/pulls/(\\d+)/requested_reviewers$`),
    answer: onPull(github, (pull, { body }, repository) => {
      const users = listIn(body, 'reviewers').map(String);
      if (users.includes(pull.author)) return invalid('Review cannot be requested from pull request author.');
      const isUnknown =
        users.some((user) => !github.collaborators.has(user)) || listIn(body, 'team_reviewers').length > 0;
      if (isUnknown) {
        const message = `Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the ${repository.full} repository.`;
        return { status: 422, body: { message } };
      }
      pull.reviewers = [...new Set([...pull.reviewers, ...users])];
      return { status: 201, body: { number: pull.number } };
    }),
  },
  {
    method: 'POST',
    path: new RegExp(`^${REPO}/statuses/([0-9a-f]{40})$`),
    answer: inRepository(github, (repository, request) => setStatus(repository, request)),
  },
  {
    method: 'GET',
    path: new RegExp(`^${REPO}/commits/([0-9a-f]{40})/statuses$`),
    answer: inRepository(github, async (repository, request) => {
      const sha = request.params[1] ?? '';
      if (!(await exists(repository, sha))) return noCommit(sha);
      const newestFirst = [...(repository.statuses.get(sha) ?? [])].reverse();
      const page = pageOf(request.query, newestFirst, 30, github.pageCap);
      const body = page.items.map(({ url, ...status }) => ({ ...status, target_url: url === '' ? null : url }));
      return { status: 200, body, headers: linkOf(github.api(), request, page) };
    }),
  },
];

const exists = async ({ git }: FakeRepository, sha: string): Promise<boolean> =>
  (await commits(git, sha, 1).catch(() => [])).length > 0;
const noCommit = (sha: string): FakeReply => ({ status: 422, body: { message: `No commit found for SHA: ${sha}` } });

const LONGEST_STATUS = 140;

async function setStatus(repository: FakeRepository, { params, body }: FakeRequest): Promise<FakeReply> {
  const sha = params[1] ?? '';
  if (!(await exists(repository, sha))) return noCommit(sha);
  const [state = '', context = 'default', description = '', url = ''] = [
    'state',
    'context',
    'description',
    'target_url',
  ].map((name) => textIn(body, name));
  if (!['error', 'failure', 'pending', 'success'].includes(state)) return invalid('State is not included in the list');
  if (description.length > LONGEST_STATUS) return invalid('Description is too long (maximum is 140 characters)');
  const status = { state, context, description, url };
  repository.statuses.set(sha, [...(repository.statuses.get(sha) ?? []), status]);
  return { status: 201, body: { ...status, target_url: url } };
}

/** The part of GraphQL that knows the merge queue. */
export async function graphql(github: FakeGithub, { body }: FakeRequest): Promise<FakeReply> {
  const query = textIn(body, 'query') ?? '';
  const variables = (body['variables'] ?? {}) as Readonly<Record<string, unknown>>;
  const failed = (message: string): FakeReply => ({ status: 200, body: { data: null, errors: [{ message }] } });
  if (query.includes('enqueuePullRequest')) {
    const [full = '', number = ''] = String(variables['id']).split('#');
    const repository = github.repositories.get(full);
    const pull = repository?.pulls.find((one) => String(one.number) === number);
    if (repository === undefined || pull === undefined)
      return failed('Could not resolve to a node with the global id.');
    if (pull.headSha !== variables['head']) return failed('Head sha does not match the expected head.');
    if (pull.approvedBy.length < repository.rules.approvals) return failed('At least 1 approving review is required.');
    if (pull.queued !== undefined) return failed('Pull request is already in the queue.');
    pull.queued = repository.pulls.filter(({ queued }) => queued !== undefined).length + 1;
    return { status: 200, body: { data: { enqueuePullRequest: { mergeQueueEntry: { position: pull.queued } } } } };
  }
  const repository = github.repositories.get(`${String(variables['owner'])}/${String(variables['name'])}`);
  if (repository !== undefined && query.includes('mergeQueue(branch')) {
    const waiting = repository.pulls.filter(({ queued }) => queued !== undefined);
    const nodes = waiting.map(({ queued, number }) => ({ position: queued, pullRequest: { number } }));
    const queue = repository.rules.queue ? { entries: { nodes } } : null;
    return { status: 200, body: { data: { repository: { mergeQueue: queue } } } };
  }
  const pull = repository?.pulls.find(({ number }) => number === variables['number']);
  if (repository === undefined || pull === undefined) return failed('Could not resolve to a PullRequest.');
  const found = {
    id: `${repository.full}#${pull.number}`,
    headRefOid: pull.headSha,
    mergeQueueEntry: pull.queued === undefined ? null : { position: pull.queued },
  };
  return { status: 200, body: { data: { repository: { pullRequest: found } } } };
}

/** The queue comes to its front: everything in it is merged by GitHub itself. */
export async function runQueue({ pulls, ...repository }: FakeRepository, by: string): Promise<void> {
  for (const pull of pulls.filter(({ queued }) => queued !== undefined))
    await mergePull({ pulls, ...repository }, pull, by, `Merge pull request #${pull.number}`);
}

import { asFairwayError, type Clock } from '@fairway/core';
import type { Forge, ForgePullRequest, NewPullRequest, SharedCalls } from '../../ports.ts';
import { expectOk, isOk, parsed, saying, unnoticed } from '../http/answer.ts';
import { choose, elsewhere } from '../http/choice.ts';
import { type ApiCredentials, type ForgeClient, forgeClient } from '../http/client.ts';
import { byLink, itemsOf } from '../http/pages.ts';
import type { GithubAddress } from './address.ts';
import { merge } from './merge.ts';
import { isForeign, isOwn, issueSchema, type Pull, pullSchema, toPullRequest } from './pulls.ts';
import { type MergeQueue, mergeQueue, queueReason } from './queue.ts';
import { addLabels, askReviewers, comment, setStatus } from './talk.ts';

export type GithubAccess = {
  readonly address: GithubAddress;
  /** owner/name */
  readonly repository: string;
  readonly credentials: Pick<ApiCredentials, 'current' | 'refused'>;
  /** Branch that pull requests go to. */
  readonly base: string;
  readonly clock: Clock;
  /** Where its calls are counted together with those of other replicas. */
  readonly shared?: SharedCalls | undefined;
};

type Github = {
  readonly call: ForgeClient;
  readonly queue: MergeQueue;
  readonly base: string;
  readonly owner: string;
  /** `/repos/<owner>/<name>` */
  readonly path: string;
};

const PAGE = 100;

/** GitHub and GitHub Enterprise Server (REST, and GraphQL for the merge queue). */
export function githubForge({ address, repository, credentials, base, clock, shared }: GithubAccess): Forge {
  const call = forgeClient({
    base: address.api,
    headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
    credentials: { ...credentials, header: (token) => ({ authorization: `Bearer ${token}` }) },
    limits: address.limits,
    shared,
    clock,
  });
  const queue = mergeQueue({ call, graphql: address.graphql, repository, base, clock });
  const path = `/repos/${repository}`;
  const github: Github = { call, queue, base, owner: repository.split('/')[0] ?? '', path };
  return {
    find: async (branch) => {
      const pull = await find(github, branch);
      return pull === undefined ? undefined : toPullRequest(pull);
    },
    open: (request) => open(github, request),
    read: (number) => read(github, number),
    edit: async (number, edit) => {
      expectOk(`the edit of pull request #${number}`, await call('PATCH', `${path}/pulls/${number}`, { body: edit }));
    },
    comment: (number, marker, text) => comment(call, path, number, marker, text),
    setStatus: (commit, status) => setStatus(call, path, commit, status),
    merge: (number, headSha, message) => merge(call, queue, path, number, headSha, message),
    list: (prefix) => list(github, prefix),
    foreign: () => foreign(github),
  };
}

/** `head` without its owner is not looked at, and everything comes back; so what comes is looked at again. */
async function find({ call, base, owner, path }: Github, branch: string): Promise<Pull | undefined> {
  const query = { state: 'all', head: `${owner}:${branch}`, base, sort: 'created', direction: 'desc', per_page: PAGE };
  const doing = `the search for the pull request of ${branch}`;
  const found = new Map<number, Pull>();
  for await (const pull of itemsOf(call, byLink, pullSchema, doing, `${path}/pulls`, query)) {
    if (isOwn(pull, base) && pull.head.ref === branch) found.set(pull.number, pull);
  }
  const chosen = choose([...found.values()].map(toPullRequest));
  return chosen === undefined ? undefined : found.get(chosen.number);
}

async function* list(github: Github, prefix: string): AsyncGenerator<ForgePullRequest> {
  for await (const pull of pullsIn(github, 'all')) {
    if (isOwn(pull, github.base) && pull.head.ref.startsWith(prefix)) yield toPullRequest(pull);
  }
}

async function* foreign(github: Github): AsyncGenerator<ForgePullRequest> {
  for await (const pull of pullsIn(github, 'open')) if (isForeign(pull, github.base)) yield toPullRequest(pull);
}

/** Oldest first: what is opened or closed meanwhile moves little from one page to another. */
function pullsIn({ call, base, path }: Github, state: 'all' | 'open'): AsyncIterable<Pull> {
  const query = { state, base, sort: 'created', direction: 'asc', per_page: PAGE };
  return itemsOf(call, byLink, pullSchema, 'the list of pull requests', `${path}/pulls`, query);
}

async function read({ call, queue, base, path }: Github, number: number): Promise<ForgePullRequest> {
  const doing = `the reading of pull request #${number}`;
  const found = parsed(pullSchema, doing, await call('GET', `${path}/pulls/${number}`));
  const pull = { ...toPullRequest(found), ...elsewhere(found.base.ref, base) };
  if (pull.state === 'open') return queuedOr(queue, pull);
  if (pull.state === 'merged') return pull;
  // Only the issue behind it says who closed it.
  const issue = await call('GET', `${path}/issues/${number}`);
  const closer = isOk(issue) ? issueSchema.safeParse(issue.data).data?.closed_by : undefined;
  return closer ? { ...pull, endedBy: closer.login } : pull;
}

/** Whether it waits in a queue is shown, never decided by; what cannot be told must not keep it from being read. */
async function queuedOr(queue: MergeQueue, pull: ForgePullRequest): Promise<ForgePullRequest> {
  try {
    const position = await queue.position(pull.number);
    if (position === undefined) return pull;
    return { ...pull, standing: { kind: 'queued', reason: queueReason(pull.number, position) } };
  } catch (error) {
    if (!asFairwayError(error).code.startsWith('forge.')) throw error;
    return pull;
  }
}

/** What GitHub says of a branch that it does not know. */
const UNNOTICED = /head invalid|head sha can.t be blank|head ref must be a branch|not all refs are readable/i;

async function open(github: Github, request: NewPullRequest): Promise<ForgePullRequest> {
  const { call, base, path } = github;
  const { branch, title, body } = request;
  const answer = await call('POST', `${path}/pulls`, {
    body: { title, body, head: branch, base, maintainer_can_modify: false },
  });
  const said = answer.status === 422 ? saying(answer.data) : '';
  if (UNNOTICED.test(said)) throw unnoticed(branch, answer);
  const exists = /already exists/i.test(said);
  const existing = exists ? await find(github, branch) : undefined;
  const isOpen = existing?.state === 'open';
  const pull = isOpen ? existing : parsed(pullSchema, `the opening of a pull request for ${branch}`, answer);
  await addLabels(call, path, pull, request.labels);
  if (!isOpen) await askReviewers(call, path, pull.number, request.reviewers);
  return toPullRequest(pull);
}

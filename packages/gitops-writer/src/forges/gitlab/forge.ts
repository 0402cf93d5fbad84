import { asFairwayError, type Clock } from '@fairway/core';
import type { Forge, ForgePullRequest, GitCredentials, NewPullRequest, PullRequestEdit } from '../../ports.ts';
import { expectOk, isOk, parsed, saying, unnoticed } from '../http/answer.ts';
import { OWN_HOST_LIMITS } from '../http/budget.ts';
import { choose, elsewhere } from '../http/choice.ts';
import { type ForgeClient, forgeClient } from '../http/client.ts';
import { byNextPage, itemsOf } from '../http/pages.ts';
import { asText } from './commands.ts';
import { merge } from './merge.ts';
import { isForeign, isOwn, type Request, requestSchema, toPullRequest } from './requests.ts';
import { comment, type People, people, setStatus } from './talk.ts';
import { type MergeTrain, mergeTrain, trainReason } from './train.ts';

export type GitlabAccess = {
  readonly url: string;
  /** Path with all its groups: group/subgroup/project */
  readonly repository: string;
  readonly credentials: GitCredentials;
  /** Branch that merge requests go to. */
  readonly base: string;
  readonly clock: Clock;
};

type Gitlab = {
  readonly call: ForgeClient;
  readonly train: MergeTrain;
  readonly people: People;
  readonly base: string;
  /** `/projects/<path, encoded>` */
  readonly path: string;
};

/** A description may hold a million characters, and an answer only so many bytes. */
const PAGE = 50;

/** GitLab, of its own or gitlab.com (REST, API v4). */
export function gitlabForge({ url, repository, credentials, base, clock }: GitlabAccess): Forge {
  const call = forgeClient({
    base: `${url.replace(/\/+$/, '').replace(/\/api\/v4$/, '')}/api/v4`,
    credentials: { current: credentials, header: (token) => ({ authorization: `Bearer ${token}` }) },
    limits: OWN_HOST_LIMITS,
    clock,
  });
  const path = `/projects/${encodeURIComponent(repository)}`;
  const gitlab: Gitlab = { call, train: mergeTrain(call, path, clock), people: people(call), base, path };
  return {
    find: async (branch) => {
      const request = await find(gitlab, branch);
      return request === undefined ? undefined : toPullRequest(request);
    },
    open: (request) => open(gitlab, request),
    read: (number) => read(gitlab, number),
    edit: (number, change) => edit(gitlab, number, change),
    comment: (number, marker, text) => comment(call, path, number, marker, text),
    setStatus: (commit, status) => setStatus(call, path, commit, status),
    merge: (number, headSha, message) => merge(call, gitlab.train, path, number, headSha, message),
    list: (prefix) => list(gitlab, prefix),
    foreign: () => foreign(gitlab),
  };
}

async function find({ call, base, path }: Gitlab, branch: string): Promise<Request | undefined> {
  const query = { state: 'all', source_branch: branch, target_branch: base, sort: 'desc', per_page: PAGE };
  const doing = `the search for the merge request of ${branch}`;
  const found = new Map<number, Request>();
  for await (const request of itemsOf(call, byNextPage, requestSchema, doing, `${path}/merge_requests`, query)) {
    if (isOwn(request, base) && request.source_branch === branch) found.set(request.iid, request);
  }
  const chosen = choose([...found.values()].map(toPullRequest));
  return chosen === undefined ? undefined : found.get(chosen.number);
}

async function* list(gitlab: Gitlab, prefix: string): AsyncGenerator<ForgePullRequest> {
  for await (const request of requestsIn(gitlab, 'all')) {
    if (isOwn(request, gitlab.base) && request.source_branch.startsWith(prefix)) yield toPullRequest(request);
  }
}

async function* foreign(gitlab: Gitlab): AsyncGenerator<ForgePullRequest> {
  for await (const request of requestsIn(gitlab, 'opened')) {
    if (isForeign(request, gitlab.base)) yield toPullRequest(request);
  }
}

function requestsIn({ call, base, path }: Gitlab, state: 'all' | 'opened'): AsyncIterable<Request> {
  const query = { state, target_branch: base, order_by: 'created_at', sort: 'asc', per_page: PAGE };
  return itemsOf(call, byNextPage, requestSchema, 'the list of merge requests', `${path}/merge_requests`, query);
}

async function read({ call, train, base, path }: Gitlab, number: number): Promise<ForgePullRequest> {
  const doing = `the reading of merge request !${number}`;
  const found = parsed(requestSchema, doing, await call('GET', `${path}/merge_requests/${number}`));
  const pull = { ...toPullRequest(found), ...elsewhere(found.target_branch, base) };
  if (pull.state !== 'open' || !(await isCarried(train, number))) return pull;
  return { ...pull, standing: { kind: 'queued', reason: trainReason(number) } };
}

/** Whether it is on a train is shown, never decided by; what cannot be told must not keep it from being read. */
async function isCarried(train: MergeTrain, number: number): Promise<boolean> {
  try {
    return (await train.isEnabled()) && (await train.carries(number));
  } catch (error) {
    if (!asFairwayError(error).code.startsWith('forge.')) throw error;
    return false;
  }
}

/** What GitLab says of a branch that it does not know. */
const UNNOTICED = /source.branch.*does not exist/i;

async function open(gitlab: Gitlab, request: NewPullRequest): Promise<ForgePullRequest> {
  const { call, base, path } = gitlab;
  const { branch, title, body, labels } = request;
  const reviewers = await gitlab.people.idsOf(request.reviewers);
  const answer = await call('POST', `${path}/merge_requests`, {
    body: {
      source_branch: branch,
      target_branch: base,
      title,
      description: asText(body),
      labels: labels.join(','),
      reviewer_ids: reviewers,
    },
  });
  if (!isOk(answer) && UNNOTICED.test(saying(answer.data))) throw unnoticed(branch, answer);
  const existing = answer.status === 409 ? await find(gitlab, branch) : undefined;
  if (existing?.state !== 'opened')
    return toPullRequest(parsed(requestSchema, `the opening of a merge request for ${branch}`, answer));
  await addLabels(gitlab, existing, labels);
  return toPullRequest(existing);
}

async function addLabels({ call, path }: Gitlab, request: Request, wanted: readonly string[]): Promise<void> {
  const missing = wanted.filter((label) => !request.labels.includes(label));
  if (missing.length === 0) return;
  const answer = await call('PUT', `${path}/merge_requests/${request.iid}`, {
    body: { add_labels: missing.join(',') },
  });
  expectOk(`the labels of merge request !${request.iid}`, answer);
}

async function edit({ call, path }: Gitlab, number: number, change: PullRequestEdit): Promise<void> {
  const { title, body, state } = change;
  const answer = await call('PUT', `${path}/merge_requests/${number}`, {
    body: {
      ...(title === undefined ? {} : { title }),
      ...(body === undefined ? {} : { description: asText(body) }),
      ...(state === undefined ? {} : { state_event: 'close' }),
    },
  });
  expectOk(`the edit of merge request !${number}`, answer);
}

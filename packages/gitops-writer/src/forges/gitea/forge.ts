import { asFairwayError, type Clock } from '@fairway/core';
import { z } from 'zod';
import type { CommitStatus, Forge, ForgePullRequest, GitCredentials, NewPullRequest } from '../../ports.ts';
import { expectOk, isOk, parsed, refused } from '../http/answer.ts';
import { OWN_HOST_LIMITS } from '../http/budget.ts';
import { choose, elsewhere } from '../http/choice.ts';
import { type ForgeClient, forgeClient } from '../http/client.ts';
import { itemsOf, untilEmpty } from '../http/pages.ts';
import { clipped, isMarked, reviewersOf, sameText } from '../http/words.ts';
import { type Labels, labels } from './labels.ts';
import { merge } from './merge.ts';
import { branchOf, eventSchema, isForeign, isOwn, type Pull, pullSchema, toPullRequest } from './pulls.ts';

export type GiteaAccess = {
  readonly url: string;
  /** owner/name */
  readonly repository: string;
  readonly credentials: GitCredentials;
  /** Branch that pull requests go to. */
  readonly base: string;
  readonly clock: Clock;
};

type Gitea = { readonly call: ForgeClient; readonly base: string; readonly labels: Labels };

const commentsSchema = z.array(z.object({ id: z.int(), body: z.string() }));
const PAGE = 50;
const STATUS_TEXT = 140;

/** Gitea and Forgejo (API v1). */
export function giteaForge({ url, repository, credentials, base, clock }: GiteaAccess): Forge {
  const call = forgeClient({
    base: `${url.replace(/\/+$/, '')}/api/v1/repos/${repository}`,
    credentials: { current: credentials, header: (token) => ({ authorization: `token ${token}` }) },
    limits: OWN_HOST_LIMITS,
    clock,
  });
  const gitea: Gitea = { call, base, labels: labels(call) };
  return {
    find: (branch) => find(gitea, branch),
    open: (request) => open(gitea, request),
    read: (number) => read(gitea, number),
    edit: async (number, edit) => {
      expectOk(`the edit of pull request #${number}`, await call('PATCH', `/pulls/${number}`, { body: edit }));
    },
    comment: (number, marker, text) => comment(gitea, number, marker, text),
    setStatus: (commit, status) => setStatus(gitea, commit, status),
    merge: (number, headSha, message) => merge(call, number, headSha, message),
    list: (prefix) => list(gitea, prefix),
    foreign: () => foreign(gitea),
  };
}

/**
 * Asks for the pair of branches first; Gitea answers with any one of it, whatever its state. Where that one is closed
 * there may be another, and only the whole list tells. Rare: each change has a branch of its own.
 */
async function find({ call, base }: Gitea, branch: string): Promise<ForgePullRequest | undefined> {
  const answer = await call('GET', `/pulls/${encodeURIComponent(base)}/${encodeURIComponent(branch)}`);
  if (answer.status === 404) return undefined;
  const first = parsed(pullSchema, `the search for the pull request of ${branch}`, answer);
  if (first.state === 'open') return toPullRequest(first);
  const found: Pull[] = [];
  for await (const pull of ownPulls(call, base)) if (branchOf(pull) === branch) found.push(pull);
  return choose(found.map(toPullRequest));
}

/** Oldest first: what is opened or closed meanwhile moves nothing from one page to another. */
async function* ownPulls(call: ForgeClient, base: string): AsyncGenerator<Pull> {
  for await (const pull of pullsIn(call, 'all')) if (isOwn(pull, base)) yield pull;
}

const pullsIn = (call: ForgeClient, state: 'all' | 'open'): AsyncIterable<Pull> =>
  itemsOf(call, untilEmpty, pullSchema, 'the list of pull requests', '/pulls', { state, sort: 'oldest', limit: PAGE });

async function* list({ call, base }: Gitea, prefix: string): AsyncGenerator<ForgePullRequest> {
  for await (const pull of ownPulls(call, base)) if (branchOf(pull).startsWith(prefix)) yield toPullRequest(pull);
}

async function* foreign({ call, base }: Gitea): AsyncGenerator<ForgePullRequest> {
  for await (const pull of pullsIn(call, 'open')) if (isForeign(pull, base)) yield toPullRequest(pull);
}

async function read({ call, base }: Gitea, number: number): Promise<ForgePullRequest> {
  const doing = `the reading of pull request #${number}`;
  const found = parsed(pullSchema, doing, await call('GET', `/pulls/${number}`));
  const pull = { ...toPullRequest(found), ...elsewhere(found.base.ref, base) };
  const endedBy = pull.state === 'closed' ? await closedBy(call, number) : undefined;
  return endedBy === undefined ? pull : { ...pull, endedBy };
}

/** The pull request itself does not say who closed it; its timeline does (Gitea 1.17 and newer), which old releases refuse. */
async function closedBy(call: ForgeClient, number: number): Promise<string | undefined> {
  const path = `/issues/${number}/timeline`;
  const doing = `the timeline of pull request #${number}`;
  let closer: string | undefined;
  try {
    for await (const { type, user } of itemsOf(call, untilEmpty, eventSchema, doing, path, { limit: PAGE })) {
      if (type === 'close') closer = user?.login;
    }
  } catch (error) {
    if (asFairwayError(error).code !== 'forge.refused') throw error;
  }
  return closer;
}

async function open(gitea: Gitea, request: NewPullRequest): Promise<ForgePullRequest> {
  const { call, base } = gitea;
  const { branch, title, body } = request;
  const labels = await gitea.labels.idsOf(request.labels);
  const answer = await call('POST', '/pulls', { body: { head: branch, base, title, body, labels } });
  const existing = answer.status === 409 ? await find(gitea, branch) : undefined;
  if (existing?.state === 'open') return existing;
  const opened = toPullRequest(parsed(pullSchema, `the opening of a pull request for ${branch}`, answer));
  await askReviewers(call, opened.number, request.reviewers);
  return opened;
}

/** All at once; where Gitea refuses, because it does not know one of them or one has written it, each alone. */
async function askReviewers(call: ForgeClient, number: number, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const { users, teams } = reviewersOf(names);
  const body = { reviewers: users, ...(teams.length === 0 ? {} : { team_reviewers: teams }) };
  const answer = await call('POST', `/pulls/${number}/requested_reviewers`, { body });
  if (isOk(answer)) return;
  if (answer.status !== 404 && answer.status !== 422) throw refused(`reviewers of pull request #${number}`, answer);
  if (names.length > 1) for (const name of names) await askReviewers(call, number, [name]);
}

async function comment({ call }: Gitea, number: number, marker: string, text: string): Promise<void> {
  const doing = `a comment on pull request #${number}`;
  // Gitea answers with all of them and takes no page.
  const comments = parsed(commentsSchema, doing, await call('GET', `/issues/${number}/comments`));
  const body = `${text}\n\n${marker}`;
  for (const own of comments.filter((candidate) => isMarked(candidate.body, marker))) {
    if (sameText(own.body, body)) return;
    const answer = await call('PATCH', `/issues/comments/${own.id}`, { body: { body } });
    if (isOk(answer)) return;
    // Somebody who quoted the marker wrote it; it is theirs.
    if (answer.status !== 403 && answer.status !== 404) throw refused(doing, answer);
  }
  expectOk(doing, await call('POST', `/issues/${number}/comments`, { body: { body } }));
}

async function setStatus({ call }: Gitea, commit: string, status: CommitStatus): Promise<void> {
  const { context, state, url } = status;
  const description = clipped(status.description, STATUS_TEXT);
  const body = { context, state, description, ...(url === undefined ? {} : { target_url: url }) };
  expectOk(`a status of commit ${commit.slice(0, 12)}`, await call('POST', `/statuses/${commit}`, { body }));
}

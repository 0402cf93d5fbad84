import { FairwayError } from '@fairway/core';
import { z } from 'zod';
import type { CommitStatus, Forge, ForgePullRequest, MergeAnswer, NewPullRequest } from '../../ports.ts';
import { type Answer, type GiteaClient, refused, saying } from './client.ts';

const pullSchema = z.object({
  number: z.int(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  merged_at: z.string().nullish(),
  merge_commit_sha: z.string().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  head: z.object({ ref: z.string(), sha: z.string() }),
});
const commentsSchema = z.array(z.object({ id: z.int(), body: z.string() }));
const labelsSchema = z.array(z.object({ id: z.int(), name: z.string() }));

const LABEL_COLOURS: Readonly<Record<string, string>> = {
  fairway: '1f6feb',
  'fairway/retrain': 'd4a017',
  'fairway/auto-merge': '8250df',
};
const LABEL_COLOUR = '2da44e';
const PAGE = 50;

/** Gitea and Forgejo (API v1). `base` is the branch that pull requests go to. */
export function giteaForge(call: GiteaClient, base: string): Forge {
  return {
    find: (branch) => find(call, base, branch),
    open: (request) => open(call, base, request),
    read: async (number) => pullOf(`reading of pull request #${number}`, await call('GET', `/pulls/${number}`)),
    edit: async (number, title, body) => {
      expectOk(
        `the edit of pull request #${number}`,
        await call('PATCH', `/pulls/${number}`, { body: { title, body } }),
      );
    },
    comment: (number, marker, text) => comment(call, number, marker, text),
    setStatus: (commit, status) => setStatus(call, commit, status),
    merge: (number, headSha, message) => merge(call, number, headSha, message),
    close: async (number) => {
      expectOk(
        `the closing of pull request #${number}`,
        await call('PATCH', `/pulls/${number}`, { body: { state: 'closed' } }),
      );
    },
  };
}

async function find(call: GiteaClient, base: string, branch: string): Promise<ForgePullRequest | undefined> {
  const path = `/pulls/${encodeURIComponent(base)}/${encodeURIComponent(branch)}`;
  const answer = await call('GET', path);
  if (answer.status === 404) return undefined;
  const first = pullOf(`the search for the pull request of ${branch}`, answer);
  // Gitea answers with the first of the pair, whatever its state: a closed one may have an open successor.
  return first.state === 'closed' ? ((await findOpen(call, branch)) ?? first) : first;
}

async function findOpen(call: GiteaClient, branch: string): Promise<ForgePullRequest | undefined> {
  for (let page = 1; ; page++) {
    const answer = await call('GET', '/pulls', { query: { state: 'open', page, limit: PAGE } });
    const pulls = parsed(z.array(pullSchema), 'the list of pull requests', answer);
    const found = pulls.find(({ head }) => head.ref === branch);
    if (found !== undefined) return toPullRequest(found);
    if (pulls.length === 0) return undefined;
  }
}

async function open(call: GiteaClient, base: string, request: NewPullRequest): Promise<ForgePullRequest> {
  const { branch, title, body } = request;
  const labels = await labelIds(call, request.labels);
  const answer = await call('POST', '/pulls', { body: { head: branch, base, title, body, labels } });
  const existing = answer.status === 409 ? await findOpen(call, branch) : undefined;
  return existing ?? pullOf(`the opening of a pull request for ${branch}`, answer);
}

/** Gitea wants label ids; labels that are not there yet are made. */
async function labelIds(call: GiteaClient, names: readonly string[]): Promise<number[]> {
  const known = new Map<string, number>();
  for (let page = 1; ; page++) {
    const answer = await call('GET', '/labels', { query: { page, limit: PAGE } });
    const labels = parsed(labelsSchema, 'the list of labels', answer);
    for (const { id, name } of labels) known.set(name, id);
    if (labels.length === 0) break;
  }
  const ids: number[] = [];
  for (const name of names) ids.push(known.get(name) ?? (await createLabel(call, name)));
  return ids;
}

async function createLabel(call: GiteaClient, name: string): Promise<number> {
  const color = `#${LABEL_COLOURS[name] ?? LABEL_COLOUR}`;
  const answer = await call('POST', '/labels', { body: { name, color } });
  return parsed(z.object({ id: z.int() }), `the label ${name}`, answer).id;
}

async function comment(call: GiteaClient, number: number, marker: string, text: string): Promise<void> {
  const doing = `a comment on pull request #${number}`;
  const comments = parsed(commentsSchema, doing, await call('GET', `/issues/${number}/comments`));
  const body = `${text}\n\n${marker}`;
  const own = comments.find((candidate) => candidate.body.includes(marker));
  if (own === undefined) expectOk(doing, await call('POST', `/issues/${number}/comments`, { body: { body } }));
  else if (own.body !== body) expectOk(doing, await call('PATCH', `/issues/comments/${own.id}`, { body: { body } }));
}

async function setStatus(
  call: GiteaClient,
  commit: string,
  { context, state, description }: CommitStatus,
): Promise<void> {
  const body = { context, state, description: description.slice(0, 140) };
  expectOk(`a status of commit ${commit.slice(0, 12)}`, await call('POST', `/statuses/${commit}`, { body }));
}

async function merge(call: GiteaClient, number: number, headSha: string, message: string): Promise<MergeAnswer> {
  // Old releases know the capitalised names only, new ones take both.
  const body = { Do: 'merge', head_commit_id: headSha, MergeTitleField: message };
  const answer = await call('POST', `/pulls/${number}/merge`, { body });
  const reason = `The forge does not merge pull request #${number} yet: ${saying(answer.data)}`;
  if (answer.status === 409) return { kind: 'moved', reason };
  // 405: checks are still running, or it was merged a moment ago; the next look tells.
  if (answer.status === 405 || answer.status === 423) return { kind: 'not-yet', reason };
  expectOk(`the merge of pull request #${number}`, answer);
  return { kind: 'merged' };
}

const pullOf = (doing: string, answer: Answer): ForgePullRequest => toPullRequest(parsed(pullSchema, doing, answer));

function toPullRequest(pull: z.infer<typeof pullSchema>): ForgePullRequest {
  return {
    number: pull.number,
    url: pull.html_url,
    state: pull.merged ? 'merged' : pull.state,
    headSha: pull.head.sha,
    title: pull.title,
    body: pull.body ?? '',
    ...(pull.merged && pull.merge_commit_sha ? { mergeCommit: pull.merge_commit_sha } : {}),
    ...(pull.merged_at ? { mergedAt: pull.merged_at } : {}),
  };
}

function parsed<T>(schema: z.ZodType<T>, doing: string, answer: Answer): T {
  expectOk(doing, answer);
  const result = schema.safeParse(answer.data);
  if (result.success) return result.data;
  const at = result.error.issues[0]?.path.join('.') ?? '';
  throw new FairwayError(
    'forge.unavailable',
    `The forge answered ${doing} with something that is not Gitea's API (${at}); check FORGE_URL.`,
  );
}

function expectOk(doing: string, answer: Answer): void {
  if (answer.status < 200 || answer.status >= 300) throw refused(doing, answer);
}

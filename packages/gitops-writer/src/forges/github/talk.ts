import { z } from 'zod';
import type { CommitStatus } from '../../ports.ts';
import { expectOk, isOk, parsed, refused } from '../http/answer.ts';
import type { ForgeClient } from '../http/client.ts';
import { byLink, itemsOf } from '../http/pages.ts';
import { clipped, isMarked, reviewersOf, sameText } from '../http/words.ts';
import type { Pull } from './pulls.ts';

const commentSchema = z.object({ id: z.int(), body: z.string().nullish() });
const statusSchema = z.object({
  context: z.string(),
  state: z.string(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
});
const PAGE = 100;
const STATUS_TEXT = 140;

/** Labels are not part of the opening; one that is not there yet is made by GitHub. */
export async function addLabels(
  call: ForgeClient,
  path: string,
  { number, labels }: Pull,
  wanted: readonly string[],
): Promise<void> {
  const missing = wanted.filter((label) => !labels.some(({ name }) => name === label));
  if (missing.length === 0) return;
  const answer = await call('POST', `${path}/issues/${number}/labels`, { body: { labels: missing } });
  expectOk(`the labels of pull request #${number}`, answer);
}

/** All at once; where GitHub refuses, because one of them may not review or has written it, each alone. */
export async function askReviewers(
  call: ForgeClient,
  path: string,
  number: number,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const { users, teams } = reviewersOf(names);
  const body = { reviewers: users, team_reviewers: teams };
  const answer = await call('POST', `${path}/pulls/${number}/requested_reviewers`, { body });
  if (isOk(answer)) return;
  if (answer.status !== 422 && answer.status !== 404) throw refused(`reviewers of pull request #${number}`, answer);
  if (names.length > 1) for (const name of names) await askReviewers(call, path, number, [name]);
}

export async function comment(
  call: ForgeClient,
  path: string,
  number: number,
  marker: string,
  text: string,
): Promise<void> {
  const doing = `a comment on pull request #${number}`;
  const body = `${text}\n\n${marker}`;
  const comments = itemsOf(call, byLink, commentSchema, doing, `${path}/issues/${number}/comments`, { per_page: PAGE });
  for await (const own of comments) {
    const said = own.body ?? '';
    if (!isMarked(said, marker)) continue;
    if (sameText(said, body)) return;
    const answer = await call('PATCH', `${path}/issues/comments/${own.id}`, { body: { body } });
    if (isOk(answer)) return;
    // Somebody who quoted the marker wrote it; it is theirs.
    if (answer.status !== 403 && answer.status !== 404) throw refused(doing, answer);
  }
  expectOk(doing, await call('POST', `${path}/issues/${number}/comments`, { body: { body } }));
}

/** Reads first: a read that says "unchanged" is free, and GitHub counts every status that is written. */
export async function setStatus(call: ForgeClient, path: string, commit: string, status: CommitStatus): Promise<void> {
  const { context, state, url } = status;
  const doing = `a status of commit ${commit.slice(0, 12)}`;
  const description = clipped(status.description, STATUS_TEXT);
  const listed = await call('GET', `${path}/commits/${commit}/statuses`, { query: { per_page: PAGE } });
  // Newest first.
  const statuses = isOk(listed) ? parsed(z.array(statusSchema), doing, listed) : [];
  const last = statuses.find((one) => one.context === context);
  const isSame = last?.state === state && last.description === description && (last.target_url ?? undefined) === url;
  if (isSame) return;
  const body = { context, state, description, ...(url === undefined ? {} : { target_url: url }) };
  expectOk(doing, await call('POST', `${path}/statuses/${commit}`, { body }));
}

import { z } from 'zod';
import type { MergeAnswer } from '../../ports.ts';
import { type Answer, isOk, parsed, refused, saying } from '../http/answer.ts';
import type { ForgeClient } from '../http/client.ts';
import { requestSchema, ruleAgainst } from './requests.ts';
import { type MergeTrain, trainPath, trainReason } from './train.ts';

const mergedSchema = z.object({ state: z.string(), merge_error: z.string().nullish() });

export async function merge(
  call: ForgeClient,
  train: MergeTrain,
  path: string,
  number: number,
  headSha: string,
  message: string,
): Promise<MergeAnswer> {
  if (await train.isEnabled()) return board(call, train, path, number, headSha);
  const text = message.trim();
  const answer = await call('PUT', `${path}/merge_requests/${number}/merge`, {
    // An empty message is refused with 422.
    body: { sha: headSha, ...(text === '' ? {} : { merge_commit_message: text }) },
  });
  if (!isOk(answer)) return refusalOf(call, path, number, answer);
  const { state, merge_error } = parsed(mergedSchema, `the merge of merge request !${number}`, answer);
  return state === 'merged' ? { kind: 'merged' } : notYet(number, merge_error ?? `it is ${state}`);
}

async function board(
  call: ForgeClient,
  train: MergeTrain,
  path: string,
  number: number,
  headSha: string,
): Promise<MergeAnswer> {
  if (await train.carries(number)) return { kind: 'queued', reason: trainReason(number) };
  // Before 17.11 the wish to wait for the pipeline had the other name.
  const body = { sha: headSha, auto_merge: true, when_pipeline_succeeds: true };
  const answer = await call('POST', trainPath(path, number), { body });
  if (isOk(answer)) return { kind: 'queued', reason: trainReason(number) };
  return refusalOf(call, path, number, answer);
}

/**
 * 409: the head is another. 401: no right to merge (or a bad token: then reading it fails as well); 405, 406, 422 and,
 * of a train, 400: not mergeable, for a reason that only the merge request itself tells.
 */
async function refusalOf(call: ForgeClient, path: string, number: number, answer: Answer): Promise<MergeAnswer> {
  const { status, data } = answer;
  const said = saying(data);
  const doing = `the merge of merge request !${number}`;
  if (status === 409 && /sha/i.test(said)) return { kind: 'moved', reason: `${sentence(number)}: ${said}` };
  if (![400, 401, 405, 406, 409, 422].includes(status)) throw refused(doing, answer);
  const request = parsed(requestSchema, doing, await call('GET', `${path}/merge_requests/${number}`));
  const rule = ruleAgainst(request);
  if (rule !== undefined) return { kind: 'blocked', reason: `${sentence(number)}: ${rule}` };
  return notYet(number, said);
}

const notYet = (number: number, words: string): MergeAnswer => ({
  kind: 'not-yet',
  reason: `${sentence(number)} yet: ${words}`,
});

const sentence = (number: number): string => `GitLab does not merge merge request !${number} (#${number})`;

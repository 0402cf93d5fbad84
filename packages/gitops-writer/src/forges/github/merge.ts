import type { MergeAnswer } from '../../ports.ts';
import { type Answer, expectOk, saying } from '../http/answer.ts';
import type { ForgeClient } from '../http/client.ts';
import { messageParts } from '../http/words.ts';
import type { MergeQueue } from './queue.ts';

export async function merge(
  call: ForgeClient,
  queue: MergeQueue,
  path: string,
  number: number,
  headSha: string,
  message: string,
): Promise<MergeAnswer> {
  const { title, body: text } = messageParts(message);
  const answer = await call('PUT', `${path}/pulls/${number}/merge`, {
    body: {
      sha: headSha,
      merge_method: 'merge',
      ...(title === undefined ? {} : { commit_title: title }),
      ...(text === undefined ? {} : { commit_message: text }),
    },
  });
  if (wantsQueue(answer)) return queue.enter(number, headSha);
  const refusal = refusalOf(number, answer);
  if (refusal !== undefined) return refusal;
  expectOk(`the merge of pull request #${number}`, answer);
  return { kind: 'merged' };
}

const wantsQueue = ({ status, data }: Answer): boolean => status === 405 && /merge queue/i.test(saying(data));

/** Refusals that pass by themselves, or that the next look explains: merged, closed, conflicting, not computed yet. */
const PASSING = /base branch was modified|not mergeable|conflict|in progress|try again|already merged/i;

/** 405: a rule, a conflict, or not yet; 409: the head (or in old releases the base) moved. */
export function refusalOf(number: number, { status, data }: Pick<Answer, 'status' | 'data'>): MergeAnswer | undefined {
  if (status !== 405 && status !== 409) return undefined;
  const said = saying(data);
  const reason = `GitHub does not merge pull request #${number}: ${said}`;
  if (/head branch was modified|head sha|expected head/i.test(said)) return { kind: 'moved', reason };
  if (PASSING.test(said) || status === 409) return { kind: 'not-yet', reason };
  return { kind: 'blocked', reason };
}

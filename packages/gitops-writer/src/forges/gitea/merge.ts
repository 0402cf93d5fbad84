import type { MergeAnswer } from '../../ports.ts';
import { type Answer, expectOk, saying } from '../http/answer.ts';
import type { ForgeClient } from '../http/client.ts';
import { messageParts } from '../http/words.ts';

/** Refusals that a rule or a right stands behind; time alone does not cure them. */
const RULES =
  /work in progress|not ready to be merged|approvals?|status check|not allowed|signed|protected|outdated|review/i;

export async function merge(call: ForgeClient, number: number, headSha: string, message: string): Promise<MergeAnswer> {
  const { title, body } = messageParts(message);
  const answer = await call('POST', `/pulls/${number}/merge`, {
    // Old releases know the capitalised names only, new ones take both.
    body: {
      Do: 'merge',
      head_commit_id: headSha,
      ...(title === undefined ? {} : { MergeTitleField: title }),
      ...(body === undefined ? {} : { MergeMessageField: body }),
    },
  });
  const refusal = refusalOf(number, answer);
  if (refusal !== undefined) return refusal;
  expectOk(`the merge of pull request #${number}`, answer);
  return { kind: 'merged' };
}

/** 405: a rule, or it cannot tell yet, or it was merged a moment ago; 409: head or base moved, or a conflict; 423: archived. */
export function refusalOf(number: number, { status, data }: Pick<Answer, 'status' | 'data'>): MergeAnswer | undefined {
  if (status !== 405 && status !== 409 && status !== 423) return undefined;
  const said = saying(data);
  const reason = `The forge does not merge pull request #${number} yet: ${said}`;
  if (status === 409) return { kind: /head out of date/i.test(said) ? 'moved' : 'not-yet', reason };
  return { kind: status === 423 || RULES.test(said) ? 'blocked' : 'not-yet', reason };
}

import type { Logger } from '@fairway/core';
import type { Exclusive, Forge, ForgePullRequest, PolicyTester, Repository } from '../../ports.ts';
import {
  type PolicyEdit,
  policyComment,
  policyStatus,
  policyUnread,
  policyUnreadStatus,
} from '../../render/policy-comment.ts';
import { longer, NO_REST, type Rest } from './rest.ts';
import type { Source } from './sources.ts';

export type TellingContext = {
  readonly repository: Repository;
  readonly forge: Forge;
  readonly tester: PolicyTester;
  readonly exclusive: Exclusive;
  /** Characters that a comment may have. */
  readonly bodyLimit: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

/**
 * What of a source is known; `edits`: models whose policy it changes, `largerThanMib`: it is too large to tell, `told`: the commits that
 * its comment speaks of. `rest`: it had no open pull request, or could not be told, and is left alone for a while.
 */
export type Seen = {
  readonly commit: string;
  readonly edits: readonly string[];
  readonly largerThanMib?: number;
  readonly told?: string;
  readonly rest?: Rest;
};

const MARKER = '<!-- fairway:policy-test -->';
const CONTEXT = 'fairway/policy';

/** Ten minutes of looks. A forge counts what it is asked, branches that nobody ever proposes stay for years, and a test is minutes of work. */
const LONGEST_REST = 20;

export const rested = (seen: Seen): Seen => ({ ...seen, rest: longer(seen.rest ?? NO_REST, LONGEST_REST) });

/** Says on the pull request of a source what its policies would have said, or why they were not read; nothing when it says so already. */
export async function tellOf(context: TellingContext, source: Source, seen: Seen, head: string): Promise<Seen> {
  const { largerThanMib } = seen;
  if (largerThanMib === undefined) return seen.edits.length === 0 ? seen : testSource(context, source, seen, head);
  if (seen.told === seen.commit) return seen;
  return inTurn(context, source, seen, async (pull) => {
    await say(context, pull, policyUnread(seen.commit, largerThanMib), policyUnreadStatus(largerThanMib));
    context.log.info({ pull: pull.number, largerThanMib }, 'a pull request from a fork is too large to be read');
    return { commit: seen.commit, edits: [], largerThanMib, told: seen.commit };
  });
}

async function testSource(context: TellingContext, source: Source, seen: Seen, head: string): Promise<Seen> {
  const sides = await Promise.all(seen.edits.map((model) => policiesOf(context, model, head, seen.commit)));
  // The default branch may move without touching the policy; what it says now is what is compared with.
  const told = JSON.stringify([seen.commit, sides.map(({ current }) => current?.blob)]);
  const differ = sides.filter(({ proposed, current }) => proposed?.blob !== current?.blob);
  if (seen.told === told || differ.length === 0) return seen;
  return inTurn(context, source, seen, async (pull) => {
    const edits: PolicyEdit[] = [];
    for (const side of differ) edits.push(await tested(context, side));
    await say(context, pull, policyComment(edits, seen.commit, context.bodyLimit), policyStatus(edits));
    context.log.info({ pull: pull.number, models: seen.edits }, 'the policy of a pull request was tested');
    return { commit: seen.commit, edits: seen.edits, told };
  });
}

/** Only where there is an open pull request with this very head, and one replica at a time: two that both find no comment would both write one. */
async function inTurn(
  { exclusive }: TellingContext,
  source: Source,
  seen: Seen,
  tell: (pull: ForgePullRequest) => Promise<Seen>,
): Promise<Seen> {
  const { rest = NO_REST } = seen;
  if (rest.left > 0) return { ...seen, rest: { ...rest, left: rest.left - 1 } };
  const pull = await source.pull();
  if (pull?.state !== 'open' || pull.headSha !== seen.commit) return rested(seen);
  const turn = `policy ${source.key}`;
  if (!(await exclusive.take(turn))) return seen;
  try {
    return await tell(pull);
  } finally {
    await exclusive.drop(turn);
  }
}

async function say(
  { forge }: TellingContext,
  { number, headSha }: ForgePullRequest,
  text: string,
  status: ReturnType<typeof policyStatus>,
): Promise<void> {
  await forge.comment(number, MARKER, text);
  await forge.setStatus(headSha, { context: CONTEXT, ...status });
}

type File = Awaited<ReturnType<Repository['read']>>;
type Sides = { readonly model: string; readonly proposed: File; readonly current: File };

async function policiesOf({ repository }: TellingContext, model: string, head: string, commit: string): Promise<Sides> {
  const path = `models/${model}/policy.yaml`;
  const [proposed, current] = [await repository.read(commit, path), await repository.read(head, path)];
  return { model, proposed, current };
}

async function tested({ tester, signal }: TellingContext, { model, proposed, current }: Sides): Promise<PolicyEdit> {
  const test = async (file: File) => (file === undefined ? undefined : tester.test(model, file.text, signal));
  return { model, proposed: await test(proposed), current: await test(current) };
}

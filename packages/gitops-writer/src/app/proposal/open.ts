import { type StepResult, succeeded, waiting } from '@fairway/core';
import type { ChangeFacts, StoredChange, Transition } from '../../change.ts';
import type { ForgePullRequest, MergeAnswer } from '../../ports.ts';
import { BROUGHT_UP, FRESH_MS, isBehind, publish } from '../publish.ts';
import { reviewDelay } from '../retry.ts';
import { phaseAge, type StepContext } from '../step.ts';
import { mergesByItself } from '../steps/propose.ts';
import { commentOn } from './comment.ts';

/** Open and as we left it: kept up to date, merged where the environment merges by itself, else waited for. */
export async function open(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
): Promise<StepResult<Transition>> {
  const { standing, into, number } = pullRequest;
  if (into !== undefined) return waitAs(stored, context, { kind: 'strayed', reason: strayed(number, into) });
  // Nothing is pushed into a merge queue: the queue would throw the change out.
  if (standing.kind === 'queued') return waitAs(stored, context, standing);
  if (await isOutdated(stored, context)) {
    const published = await publish(stored, context);
    return succeeded({ phase: 'proposed', reason: BROUGHT_UP, ...published });
  }
  if (standing.kind === 'draft') return waitAs(stored, context, standing);
  const isAuto = (await mergesByItself(stored, context)) && (await mergesByItself(stored, context, 0));
  if (!isAuto) return waitForPeople(stored, context, pullRequest);
  const answer = await context.forge.merge(pullRequest.number, pullRequest.headSha, pullRequest.title);
  return afterMerge(stored, context, answer);
}

async function afterMerge(
  stored: StoredChange,
  context: StepContext,
  answer: MergeAnswer,
): Promise<StepResult<Transition>> {
  const { kind } = answer;
  if (kind === 'merged') return waiting(0, 'Merged; the forge is asked for the commit.');
  if (kind === 'blocked' || kind === 'queued') return waitAs(stored, context, { kind, reason: answer.reason });
  return waiting(reviewDelay(phaseAge(stored, context.clock)), answer.reason);
}

/** What the rules of the branch still ask for is part of any review: it is shown, and needs no comment. */
async function waitForPeople(
  stored: StoredChange,
  context: StepContext,
  { number, standing }: ForgePullRequest,
): Promise<StepResult<Transition>> {
  const more = standing.kind === 'blocked' ? ` The forge says: ${standing.reason}` : '';
  return wait(stored, context, `Pull request #${number} waits for its merge.${more}`, await asBefore(stored, context));
}

const strayed = (number: number, into: string): string =>
  `Pull request #${number} goes to branch ${into}; a merge there deploys nothing.`;

type Held = { readonly kind: keyof typeof WAITS; readonly reason: string };

async function waitAs(
  stored: StoredChange,
  context: StepContext,
  { kind, reason }: Held,
): Promise<StepResult<Transition>> {
  return wait(stored, context, WAITS[kind] + reason, await commentOn(stored, context, { kind, reason }));
}

const WAITS = {
  blocked: 'Blocked by the rules of the branch: ',
  queued: 'In the merge queue: ',
  draft: 'Marked as a draft: ',
  strayed: 'Pointed elsewhere: ',
} as const;

/** Facts are kept by a move into the same phase; the wait follows with the next turn. */
function wait(
  stored: StoredChange,
  { clock }: StepContext,
  reason: string,
  facts: ChangeFacts | undefined,
): StepResult<Transition> {
  if (facts !== undefined) return succeeded({ phase: 'proposed', reason, facts });
  return waiting(reviewDelay(phaseAge(stored, clock)), reason);
}

/** A comment that says more than is true now is set right. */
async function asBefore(stored: StoredChange, context: StepContext): Promise<ChangeFacts | undefined> {
  if (stored.facts.comment === undefined) return undefined;
  return commentOn(stored, context, { kind: 'waiting', merge: 'review' });
}

/** A newer request of the monitor, or a default branch on which our files would no longer come out as approved. */
async function isOutdated(stored: StoredChange, context: StepContext): Promise<boolean> {
  const { evidence, facts } = stored;
  if (evidence.kind === 'retrain' && evidence.revision !== facts.published) return true;
  if (facts.headSha === undefined) return false;
  return isBehind(stored, context, await context.repository.head(FRESH_MS), facts.headSha);
}

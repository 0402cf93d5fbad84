import {
  asFairwayError,
  type Clock,
  failed,
  FairwayError,
  iso,
  type Phase,
  redact,
  type StepResult,
} from '@fairway/core';
import type { StoredChange, Transition } from '../change.ts';
import type { Claim, Claims, Metrics, Outcome } from '../ports.ts';
import { branchesFirst } from './branches-first.ts';
import { failedNotice } from './notices.ts';
import { commentOn } from './proposal/comment.ts';
import { retryDelay } from './retry.ts';
import type { Step, StepContext } from './step.ts';
import { STEPS } from './steps/index.ts';
import { type WayBack, wayBackFrom } from './way-back.ts';

/** Turns in flight. They hold no connection, and most wait for git, forge or cluster: what waits together goes to git together. */
export const CONCURRENCY = 250;
/** A change that another process works on is looked at again after this. */
const BUSY_MS = 1_000;

/**
 * Works on a change until it has to wait, has ended, or should let others go first; answers in how many ms it is due
 * again, undefined when it has ended.
 */
export type Turn = (id: string) => Promise<number | undefined>;

/**
 * The level-triggered core: claim a change, run the step of its phase, settle, and go on with the next step while there
 * is one. `signal` ends it between two steps; what a step cannot settle is done again by the next turn.
 */
export function turns(claims: Claims, context: StepContext, metrics: Metrics, signal: AbortSignal): Turn {
  const line = branchesFirst(context.clock);
  return async (id) => {
    const waitMs = line.stillGivesWay(id);
    if (waitMs > 0) return waitMs;
    const claim = await claims.claim(id);
    if (claim === 'busy') return BUSY_MS;
    if ('dueInMs' in claim) return claim.dueInMs;
    const ended = lacksBranch(claim.stored) ? line.underWay() : undefined;
    try {
      for (;;) {
        const { stored } = claim;
        const step = stepOf(stored);
        const dueInMs = await takeTurn(claim, step, context, metrics);
        if (dueInMs !== 0 || signal.aborted) return dueInMs;
        if (stepOf(claim.stored)?.yields?.(claim.stored) === true) {
          ended?.();
          return line.giveWay(id);
        }
        // A hint came while the step waited: the change is claimed anew, so that it counts as seen.
        if (stored === claim.stored) return 0;
      }
    } finally {
      ended?.();
      await claim.release();
    }
  };
}

const UNPUBLISHED: readonly Phase[] = ['requested', 'validated', 'built'];
const lacksBranch = ({ change, facts }: StoredChange): boolean =>
  facts.headSha === undefined && UNPUBLISHED.includes(change.phase);

const stepOf = ({ change }: StoredChange): Step | undefined => STEPS[change.kind]?.[change.phase];

async function takeTurn(
  claim: Claim,
  step: Step | undefined,
  context: StepContext,
  metrics: Metrics,
): Promise<number | undefined> {
  const { stored } = claim;
  const { clock } = context;
  const began = clock.now();
  const result = step === undefined ? failed(noStep(stored)) : await runStep(step, stored, context);
  metrics.stepRan(step?.name ?? 'none', result.status, (clock.now() - began) / 1000);
  const outcome = await withWayBack(stored, result, settle(stored, result, clock), context);
  if (outcome.kind === 'moved') await markEnd(stored, context, outcome.transition);
  const { dueInMs } = await claim.settle(outcome);
  report(stored, outcome, context, metrics);
  return dueInMs;
}

async function runStep(step: Step, stored: StoredChange, context: StepContext): Promise<StepResult<Transition>> {
  try {
    return await step.run(stored, context);
  } catch (error) {
    return failed(asFairwayError(error));
  }
}

/** What a step's result means for the change. Pure. */
export function settle(stored: StoredChange, result: StepResult<Transition>, clock: Clock): Outcome {
  const at = iso(clock.now());
  switch (result.status) {
    case 'succeeded':
      return { kind: 'moved', transition: result.output, at };
    case 'waiting':
      return waits(result, at);
    case 'skipped':
      return { kind: 'moved', transition: { phase: 'live', reason: result.reason }, at };
    case 'failed':
      return settleFailure(stored, result.error, at);
    default:
      return unreachable(result);
  }
}

/** A failed verification takes its way back along in the same transaction; while that cannot be told, the turn is repeated. */
async function withWayBack(
  stored: StoredChange,
  result: StepResult<Transition>,
  outcome: Outcome,
  context: StepContext,
): Promise<Outcome> {
  if (result.status !== 'failed' || outcome.kind !== 'moved') return outcome;
  try {
    const back = await wayBackFrom(stored, result.error, context);
    return back === undefined ? outcome : { ...outcome, transition: goingBack(outcome.transition, back) };
  } catch (error) {
    return settle(stored, failed(asFairwayError(error)), context.clock);
  }
}

function goingBack(transition: Transition, { follow, told }: WayBack): Transition {
  const reason = `${transition.reason ?? ''} ${told}`.trim();
  return { ...transition, reason, ...(follow === undefined ? {} : { follow: [follow] }) };
}

function waits(
  { reason, retryAfterMs, learned }: Extract<StepResult<Transition>, { status: 'waiting' }>,
  at: string,
): Outcome {
  const facts = learned?.facts === undefined ? {} : { facts: learned.facts };
  return { kind: 'waiting', reason, delayMs: retryAfterMs, at, ...facts };
}

function settleFailure(stored: StoredChange, thrown: FairwayError, at: string): Outcome {
  const error = redacted(thrown);
  const wish = thrown.detail['retryAfterMs'];
  const delayMs = error.disposition === 'terminal' ? undefined : retryDelay(error.code, stored.attempts + 1, wish);
  if (delayMs !== undefined) return { kind: 'retry', error, delayMs, at };
  return {
    kind: 'moved',
    transition: { phase: 'failed', reason: error.message, notice: failedNotice(stored, error) },
    at,
  };
}

function unreachable(result: never): never {
  throw new TypeError(`a step answered ${JSON.stringify(result)}`);
}

const redacted = (error: FairwayError): FairwayError =>
  new FairwayError(error.code, redact(error.message), { disposition: error.disposition, cause: error.cause });

const noStep = ({ change }: StoredChange): FairwayError =>
  new FairwayError('input.invalid', `Nothing is known to do for a ${change.kind} change in phase ${change.phase}.`);

/**
 * The commit of a change that will not be live turns red, and the pull request of one that failed says why; a forge that
 * does not answer must not hold up the end of the change. The other ends tell the forge in their steps.
 */
async function markEnd(stored: StoredChange, context: StepContext, { phase, reason = '' }: Transition): Promise<void> {
  const { mergeCommit, headSha } = stored.facts;
  const { forge, log } = context;
  const commit = phase === 'failed' ? (mergeCommit ?? headSha) : phase === 'superseded' ? mergeCommit : undefined;
  if (commit === undefined) return;
  const description = phase === 'failed' ? 'The change failed' : 'Superseded before it was live';
  try {
    await forge.setStatus(commit, { context: 'fairway/live', state: 'failure', description });
    if (phase === 'failed') await commentOn(stored, context, { kind: 'failed', reason });
  } catch (error) {
    log.warn({ reason: redact((error as Error).message) }, 'the forge could not be told of the end');
  }
}

function report(stored: StoredChange, outcome: Outcome, { log }: StepContext, metrics: Metrics): void {
  const { id, kind, phase } = stored.change;
  if (outcome.kind === 'retry' && outcome.error.code === 'unknown') {
    log.error({ change: id, phase, reason: outcome.error.message }, 'step failed for a reason that is not known');
  } else if (outcome.kind === 'retry') {
    log.info(
      { change: id, phase, code: outcome.error.code, reason: outcome.error.message, retryMs: outcome.delayMs },
      'step will be retried',
    );
  } else if (outcome.kind === 'moved' && outcome.transition.phase !== phase) {
    const { reason } = outcome.transition;
    log.info(
      { change: id, from: phase, to: outcome.transition.phase, ...(reason === undefined ? {} : { reason }) },
      'change moved',
    );
    metrics.phaseEntered(kind, outcome.transition.phase);
  }
}

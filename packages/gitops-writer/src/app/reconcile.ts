import {
  asFairwayError,
  type Clock,
  failed,
  FairwayError,
  iso,
  type Part,
  pause,
  redact,
  type StepResult,
} from '@fairway/core';
import type { StoredChange, Transition } from '../change.ts';
import type { ChangeQueue, Claim, Metrics, Outcome } from '../ports.ts';
import { failedNotice } from './notices.ts';
import { retryDelay } from './retry.ts';
import type { Step, StepContext } from './step.ts';
import { STEPS } from './steps/index.ts';

/** Turns in flight; each holds one database connection. */
export const CONCURRENCY = 4;
const IDLE_MS = 300;

export type Reconciler = Part & { /** Looks for due changes at once. */ readonly wake: () => void };

/**
 * The level-triggered loop: claim a due change, run the step of its phase, settle. Modes: *working* (a claim was found:
 * its turn runs, the next claim is looked for while turns are free), *idle* (nothing due: until a wake-up, the end of a
 * turn, or {@link IDLE_MS}), *stopping* (no new claim; turns in flight end, and what they cannot settle is done again).
 */
export function reconciler(queue: ChangeQueue, context: StepContext, metrics: Metrics): Reconciler {
  const stopping = new AbortController();
  const turns = new Set<Promise<void>>();
  let bell = new AbortController();
  let loop: Promise<void> | undefined;

  const wake = () => bell.abort();
  const rest = async () => {
    await pause(IDLE_MS, bell.signal);
    if (bell.signal.aborted) bell = new AbortController();
  };
  const startTurn = (claim: Claim) => {
    const turn = takeTurn(claim, context, metrics).finally(() => {
      turns.delete(turn);
      wake();
    });
    turns.add(turn);
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      const claim = turns.size < CONCURRENCY ? await nextClaim(queue, context) : undefined;
      if (claim === undefined) await rest();
      else startTurn(claim);
    }
    await Promise.all(turns);
  };
  return {
    name: 'reconciler',
    wake,
    start: () => {
      loop = run();
    },
    stop: async () => {
      stopping.abort();
      wake();
      await loop;
    },
  };
}

async function nextClaim(queue: ChangeQueue, { log }: StepContext): Promise<Claim | undefined> {
  try {
    return await queue.claim();
  } catch (error) {
    log.warn({ reason: redact((error as Error).message) }, 'changes cannot be claimed');
    return undefined;
  }
}

async function takeTurn(claim: Claim, context: StepContext, metrics: Metrics): Promise<void> {
  const { stored } = claim;
  const { clock, log } = context;
  const { id, kind, phase } = stored.change;
  const step = STEPS[kind]?.[phase];
  const began = clock.now();
  const result = step === undefined ? failed(noStep(stored)) : await runStep(step, stored, context);
  metrics.stepRan(step?.name ?? 'none', result.status, (clock.now() - began) / 1000);
  const outcome = settle(stored, result, clock);
  if (outcome.kind === 'moved' && outcome.transition.phase === 'failed') await markFailed(stored, context);
  try {
    await claim.settle(outcome);
  } catch (error) {
    log.warn(
      { change: id, reason: redact((error as Error).message) },
      'a turn could not be written down and will be repeated',
    );
    return;
  }
  report(stored, outcome, context, metrics);
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
      return { kind: 'waiting', reason: result.reason, delayMs: result.retryAfterMs, at };
    case 'skipped':
      return { kind: 'moved', transition: { phase: 'live', reason: result.reason }, at };
    case 'failed':
      return settleFailure(stored, result.error, at);
    default:
      return unreachable(result);
  }
}

function settleFailure(stored: StoredChange, thrown: FairwayError, at: string): Outcome {
  const error = redacted(thrown);
  const delayMs = error.disposition === 'terminal' ? undefined : retryDelay(error.code, stored.attempts + 1);
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

/** The commit turns red as well; a forge that does not answer must not hold up the end of the change. */
async function markFailed({ facts }: StoredChange, { forge, log }: StepContext): Promise<void> {
  const commit = facts.mergeCommit ?? facts.headSha;
  if (commit === undefined) return;
  try {
    await forge.setStatus(commit, { context: 'fairway/live', state: 'failure', description: 'The change failed' });
  } catch (error) {
    log.warn({ reason: redact((error as Error).message) }, 'the commit status could not be set');
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

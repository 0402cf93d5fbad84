import { FairwayError } from '@fairway/core';

/** What the recorder says of the model: predictions stored, and calls that killed agents told as lost, at most. */
export type Booked = { readonly stored: number; readonly killedCalls: number };

export type Waiting = {
  readonly expected: number;
  /** Predictions that a call holds at most. */
  readonly perCall: number;
  readonly booked: () => Promise<Booked>;
  /** Calls that agents and queue still hold; undefined where one does not answer. */
  readonly held: () => Promise<number | undefined>;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
};

const GIVE_UP_MS = 90_000;
/** How long nothing more must have come before it is asked whether anything still can. */
const QUIET_MS = 3_000;

/**
 * Waits until all is stored. Where an agent was killed, what is missing may be gone for good: that is believed once the agent
 * that follows has told so many calls, nothing more comes, and neither agents nor queue hold anything. A recorder or queue that
 * is just starting again is quiet too. Answers what is stored; throws `stack.failed` for what is missing and was not told.
 */
export async function untilStored({ expected, perCall, booked, held, now, pause }: Waiting): Promise<number> {
  const deadline = now() + GIVE_UP_MS;
  let stored = -1;
  let changedAt = now();
  for (;;) {
    const found = await booked();
    if (found.stored >= expected) return found.stored;
    if (found.stored !== stored) [stored, changedAt] = [found.stored, now()];
    const isTold = expected - stored <= found.killedCalls * perCall;
    const isLate = now() >= deadline;
    if (isTold && (isLate || (now() - changedAt > QUIET_MS && (await held()) === 0))) return stored;
    if (isLate) break;
    await pause(100);
  }
  throw new FairwayError(
    'stack.failed',
    `Only ${stored} of ${expected} predictions are stored after ${GIVE_UP_MS / 1000} s: see the recorder's and the agent's logs.`,
  );
}

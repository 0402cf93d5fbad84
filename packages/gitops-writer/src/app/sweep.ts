import { type Part, pause, redact } from '@fairway/core';
import type { Claims } from '../ports.ts';
import type { Turn } from './reconcile.ts';
import type { StepContext } from './step.ts';

const EVERY_MS = 1_000;
/** How many due changes one sweep takes on. */
const MOST = 8;

/**
 * Works on changes that are due and that the queue has not brought: after a kill (their jobs are still held for the dead),
 * after a loss of the queue, or while it is away. The claims keep a change from being worked on twice. It takes the
 * oldest few, so that a long queue that is being worked off is left to the workers.
 */
export function sweep(claims: Claims, turn: Turn, { clock, log }: StepContext): Part {
  const stopping = new AbortController();
  let loop: Promise<void> | undefined;
  const once = async () => {
    try {
      const ids = await claims.due(MOST);
      await Promise.all(ids.map((id) => untilItWaits(id, turn, stopping.signal)));
    } catch (error) {
      log.warn({ reason: redact((error as Error).message) }, 'due changes cannot be looked for');
    }
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      const began = clock.now();
      await once();
      await pause(Math.max(0, EVERY_MS - (clock.now() - began)), stopping.signal);
    }
  };
  return {
    name: 'sweep',
    start: () => {
      loop = run();
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

async function untilItWaits(id: string, turn: Turn, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await turn(id)) === 0);
}

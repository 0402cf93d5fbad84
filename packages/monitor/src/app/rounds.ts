import { asFairwayError, type Logger, type Part, pause } from '@fairway/core';

/**
 * A part that runs `round` again and again: at once while it answers true (there may be more to do), else after `restMs`.
 * A round that throws is logged and comes again; stop waits for the round that runs.
 */
export function rounds(name: string, round: () => Promise<boolean>, restMs: number, log: Logger): Part {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    while (!stopping.signal.aborted) {
      const more = await round().catch((error: unknown) => {
        log.warn({ part: name, reason: asFairwayError(error).message }, 'round failed, it comes again');
        return false;
      });
      if (!more) await pause(restMs, stopping.signal);
    }
  };
  return {
    name,
    start: () => {
      running = run();
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

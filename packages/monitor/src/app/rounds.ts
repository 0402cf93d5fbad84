import { asFairwayError, type Logger, type Part, pause } from '@fairway/core';

const AFTER_FAILURE_MS = 1_000;

/**
 * A part that runs `round` again and again: at once while it answers true (there may be more to do), else after `restMs`.
 * A round that throws comes again a second later, and is
 * logged when the reason is a new one; stop waits for the round that runs.
 */
export function rounds(name: string, round: () => Promise<boolean>, restMs: number, log: Logger): Part {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let failing: string | undefined;
  const run = async () => {
    while (!stopping.signal.aborted) {
      const more = await round().then(
        (answer) => {
          failing = undefined;
          return answer;
        },
        (error: unknown) => {
          const { message } = asFairwayError(error);
          if (failing !== message) log.warn({ part: name, reason: message }, 'round failed, it comes again');
          failing = message;
          return false;
        },
      );
      if (!more) await pause(failing === undefined ? restMs : AFTER_FAILURE_MS, stopping.signal);
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

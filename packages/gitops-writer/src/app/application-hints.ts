import { type Logger, type Part, pause, redact } from '@fairway/core';
import type { ApplicationFeed, Claims, WorkQueue } from '../ports.ts';

/** Argo CD writes an Application several times in a row, and a commit may touch thousands: they are told together. */
const GATHER_MS = 100;

/** Wakes changes whose Application has changed. What is lost here is found by polling. */
export function applicationHints(
  feed: ApplicationFeed,
  claims: Pick<Claims, 'hintApplications'>,
  queue: WorkQueue,
  log: Logger,
): Part {
  const stopping = new AbortController();
  const names = new Set<string>();
  let telling: Promise<void> | undefined;
  const tell = async () => {
    while (names.size > 0 && !stopping.signal.aborted) {
      await pause(GATHER_MS, stopping.signal);
      const gathered = [...names];
      names.clear();
      try {
        await queue.wake(await claims.hintApplications(gathered));
      } catch (error) {
        log.warn({ reason: redact((error as Error).message) }, 'changes cannot be told of their Applications');
      }
    }
    telling = undefined;
  };
  feed.onChange((name) => {
    names.add(name);
    if (!stopping.signal.aborted) telling ??= tell();
  });
  return {
    name: 'application hints',
    start: () => {},
    stop: async () => {
      stopping.abort();
      await telling;
    },
  };
}

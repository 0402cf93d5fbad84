/** Time as a dependency: tests and replays pass their own. */
export type Clock = { now(): number };

export const systemClock: Clock = { now: () => Date.now() };

/** RFC 3339 in UTC with milliseconds. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** Resolves after `ms`, or at once when `signal` aborts; never rejects, never keeps the process alive by itself. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

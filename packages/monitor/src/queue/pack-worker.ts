import { asFairwayError, type Logger, type Pack, PACK_QUEUE, type Part, pause, redact, urlOrigin } from '@fairway/core';
import { createPostgresBackend, DelayedError, type Job, Worker } from 'bullmq';

export type PackWorker = Part & {
  /** undefined: packs are taken; otherwise why not, in words. */
  trouble(): string | undefined;
};

/**
 * A dead recorder's pack comes back after about lock + interval = 7 s (defaults: 60 s, and failed for good at the second
 * crash; capture reference §5.3 E4). Two at a time: PostgreSQL is the bound, not this process.
 */
const TUNING = {
  lockDuration: 5_000,
  stalledInterval: 2_000,
  maxStalledCount: 1_000_000,
  concurrency: 2,
  // After a queue outage look again soon (default 15 s).
  runRetryDelay: 500,
} as const;
const RETRY_MS = 1_000;
const GRACE_MS = 5_000;
/** A worker that asks a PostgreSQL which is still starting repeats itself without a pause, about 100 times a second. */
const MOST_ERRORS_PER_SECOND = 20;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/**
 * Takes packs from the queue and gives them to `record`, one job per pack. A pack that cannot be recorded now goes back with a
 * growing delay, however often; the ledger makes every repetition harmless. Redis or PostgreSQL, by the scheme of `url`.
 */
export function packWorker(
  url: string,
  prefix: string,
  record: (pack: Pack) => Promise<unknown>,
  log: Logger,
): PackWorker {
  const stopping = new AbortController();
  let worker: PackJobs | undefined;
  let trouble: string | undefined = 'the queue is not reached yet';
  let connecting: Promise<void> = Promise.resolve();

  const process = async (job: Job<Pack>, token?: string): Promise<void> => {
    try {
      await record(job.data);
    } catch (error) {
      const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(job.attemptsStarted, 10));
      log.warn({ pack: job.id, delayMs, reason: asFairwayError(error).message }, 'pack not recorded, it comes back');
      // When even that fails (the queue is gone too) the job stays active, its lock lapses, and it comes back as stalled. Any
      // other error thrown here would end the job as failed, and the pack would be lost.
      await job.moveToDelayed(Date.now() + delayMs, token).catch(() => {});
      throw new DelayedError();
    }
  };
  // A worker that is made while its backend is down may stay broken, so it is made again until it is ready.
  const connect = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const candidate = makeWorker(url, prefix, process);
      candidate.on(
        'error',
        errorListener(log, () => renew(candidate)),
      );
      try {
        await candidate.waitUntilReady();
        worker = candidate;
        trouble = undefined;
        log.info({ queue: PACK_QUEUE, at: urlOrigin(url) }, 'taking packs');
        return;
      } catch (error) {
        trouble = `The queue at ${urlOrigin(url)} does not answer (${redact((error as Error).message)}).`;
        log.warn({ reason: trouble }, 'queue not reached, trying again');
        await candidate.close(true).catch(() => {});
        await pause(RETRY_MS, stopping.signal);
      }
    }
  };
  const renew = (broken: PackJobs): void => {
    if (worker !== broken) return;
    worker = undefined;
    trouble = `The queue at ${urlOrigin(url)} answers with errors.`;
    connecting = broken
      .close(true)
      .catch(() => {})
      .then(() => pause(RETRY_MS, stopping.signal))
      .then(connect);
  };
  return {
    name: 'packs',
    start: () => {
      connecting = connect();
    },
    stop: async () => {
      stopping.abort();
      await Promise.race([connecting, pause(1_000)]);
      // Running packs may end; when the queue itself is gone there is nothing to wait for.
      const closed = worker?.close();
      await Promise.race([closed, pause(GRACE_MS).then(() => worker?.close(true))]);
    },
    trouble: () => trouble,
  };
}

/** Logs each message once a second at most, and calls `renew` when errors come thick and fast. */
function errorListener(log: Logger, renew: () => void): (error: Error) => void {
  let second = 0;
  let messages: string[] = [];
  return ({ message }) => {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) messages = [];
    second = now;
    if (!messages.includes(message)) log.warn({ reason: redact(message) }, 'queue error');
    messages.push(message);
    if (messages.length === MOST_ERRORS_PER_SECOND) renew();
  };
}

/** What we use of a worker, whichever backend it has. */
type PackJobs = {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(force?: boolean): Promise<void>;
};

function makeWorker(url: string, prefix: string, process: (job: Job<Pack>, token?: string) => Promise<void>): PackJobs {
  const options = { ...TUNING, removeOnComplete: { count: 0 } };
  const { protocol } = new URL(url);
  if (protocol === 'postgres:' || protocol === 'postgresql:') {
    const connection = { connectionString: url, schema: prefix, migrate: true, max: 4 };
    return new Worker(PACK_QUEUE, process, { ...options, connection }, createPostgresBackend);
  }
  return new Worker<Pack>(PACK_QUEUE, process, { ...options, prefix, connection: { url, maxRetriesPerRequest: null } });
}

import {
  asFairwayError,
  FairwayError,
  type Logger,
  type Pack,
  PACK_QUEUE,
  type Part,
  pause,
  redact,
  urlOrigin,
} from '@fairway/core';
import { createPostgresBackend, DelayedError, type Job, Worker } from 'bullmq';

export type PackWorker = Part & {
  /** undefined: packs are taken; otherwise why not, in words. */
  trouble(): string | undefined;
};

/**
 * A dead recorder's pack comes back after about lock + interval = 7 s (defaults: 60 s, and failed for good at the second
 * crash; capture reference §5.3 E4). Two at a time: PostgreSQL is the bound, not this process.
 */
const TUNING = { lockDuration: 5_000, stalledInterval: 2_000, maxStalledCount: 1_000_000, concurrency: 2 } as const;
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
      await job.moveToDelayed(Date.now() + delayMs, token);
      throw new DelayedError();
    }
  };
  // A worker that is made while its backend is down may stay broken, so it is made again until it is ready.
  const connect = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const candidate = makeWorker(url, prefix, process);
      candidate.on('error', (error) => log.warn({ reason: redact(error.message) }, 'queue error'));
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
        await pause(1_000, stopping.signal);
      }
    }
  };
  return {
    name: 'packs',
    start: () => {
      connecting = connect();
    },
    stop: async () => {
      stopping.abort();
      await Promise.race([connecting, pause(1_000)]);
      await worker?.close();
    },
    trouble: () => trouble,
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
  if (protocol !== 'redis:' && protocol !== 'rediss:')
    throw new FairwayError('config.invalid', `QUEUE_URL has the unknown scheme ${protocol}`);
  return new Worker<Pack>(PACK_QUEUE, process, { ...options, prefix, connection: { url, maxRetriesPerRequest: null } });
}

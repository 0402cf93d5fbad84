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
export function packWorker(url: string, prefix: string, record: RecordPack, log: Logger): PackWorker {
  const stopping = new AbortController();
  const session: Session = {
    make: () => makeWorker(url, prefix, (job, token) => processJob(record, log, job, token)),
    at: urlOrigin(url),
    signal: stopping.signal,
    log,
    worker: undefined,
    trouble: 'the queue is not reached yet',
    connecting: Promise.resolve(),
  };
  return {
    name: 'packs',
    start: () => {
      session.connecting = connect(session);
    },
    stop: async () => {
      stopping.abort();
      await Promise.race([session.connecting, pause(1_000)]);
      // Running packs may end; when the queue itself is gone there is nothing to wait for.
      const closed = session.worker?.close();
      await Promise.race([closed, pause(GRACE_MS).then(() => session.worker?.close(true))]);
    },
    trouble: () => session.trouble,
  };
}

type RecordPack = (pack: Pack) => Promise<unknown>;
type Session = {
  readonly make: () => PackJobs;
  readonly at: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  worker: PackJobs | undefined;
  trouble: string | undefined;
  connecting: Promise<void>;
};

async function processJob(record: RecordPack, log: Logger, job: Job<Pack>, token: string | undefined): Promise<void> {
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
}

/** A worker that is made while its backend is down may stay broken, so it is made again until it is ready. */
async function connect(session: Session): Promise<void> {
  const { make, at, signal, log } = session;
  while (!signal.aborted) {
    const candidate = make();
    const onError = errorListener(log, () => renew(session, candidate));
    candidate.on('error', onError);
    try {
      await candidate.waitUntilReady();
      session.worker = candidate;
      session.trouble = undefined;
      log.info({ queue: PACK_QUEUE, at }, 'taking packs');
      return;
    } catch (error) {
      session.trouble = `The queue at ${at} does not answer (${redact((error as Error).message)}).`;
      log.warn({ reason: session.trouble }, 'queue not reached, trying again');
      await candidate.close(true).catch(() => {});
      await pause(RETRY_MS, signal);
    }
  }
}

function renew(session: Session, broken: PackJobs): void {
  if (session.worker !== broken) return;
  session.worker = undefined;
  session.trouble = `The queue at ${session.at} answers with errors.`;
  session.connecting = broken
    .close(true)
    .catch(() => {})
    .then(() => pause(RETRY_MS, session.signal))
    .then(() => connect(session));
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

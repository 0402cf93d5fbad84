import { isDemoted, type Logger, type Part, pause, redact, urlOrigin } from '@fairway/core';
import { DelayedError, type Job, Worker } from 'bullmq';
import { isPostgres, postgresBackend, type QueuePlace } from './backend.ts';
import { type QueueRisk, redisRisks, riskSentence } from './redis-risks.ts';

export type JobWorker = Part & {
  /** undefined: jobs are taken; otherwise why not, in words. */
  trouble(): string | undefined;
  /** What about the queue's server may lose jobs, as it was when it was last reached. */
  risks(): readonly QueueRisk[];
};

/** Does a job; a number puts it back for so many ms, undefined ends it. What it throws puts it back for `RETRY_MS`. */
export type JobHandler<T> = (
  data: T,
  job: { readonly id: string; readonly attempts: number },
) => Promise<number | undefined>;

export type WorkerOptions = QueuePlace & { readonly partName: string; readonly concurrency: number };

/**
 * A dead worker's job comes back after about lock + interval = 7 s (defaults: 60 s, and failed for good at the second
 * crash; capture reference §5.3 E4).
 */
const TUNING = {
  lockDuration: 5_000,
  stalledInterval: 2_000,
  maxStalledCount: 1_000_000,
  // After a queue outage look again soon (default 15 s).
  runRetryDelay: 500,
} as const;
const RETRY_MS = 1_000;
const GRACE_MS = 5_000;
/** A worker that asks a PostgreSQL which is still starting repeats itself without a pause, about 100 times a second. */
const MOST_ERRORS_PER_SECOND = 20;

/** Takes jobs from the queue and gives them to `handle`; Redis or PostgreSQL, by the scheme of the URL. */
export function jobWorker<T>(options: WorkerOptions, handle: JobHandler<T>, log: Logger): JobWorker {
  const stopping = new AbortController();
  const session: Session = {
    make: () => makeWorker<T>(options, (job, token) => processJob(handle, log, job, token)),
    name: options.name,
    at: urlOrigin(options.url),
    signal: stopping.signal,
    log,
    worker: undefined,
    trouble: 'the queue is not reached yet',
    risks: [],
    connecting: Promise.resolve(),
  };
  return {
    name: options.partName,
    start: () => {
      session.connecting = connect(session);
    },
    stop: async () => {
      stopping.abort();
      await Promise.race([session.connecting, pause(1_000)]);
      // Running jobs may end; when the queue itself is gone there is nothing to wait for.
      const closed = session.worker?.close();
      await Promise.race([closed, pause(GRACE_MS).then(() => session.worker?.close(true))]);
    },
    trouble: () => session.trouble,
    risks: () => session.risks,
  };
}

async function processJob<T>(
  handle: JobHandler<T>,
  log: Logger,
  job: Job<T>,
  token: string | undefined,
): Promise<void> {
  const delayMs = await attempt(handle, log, job);
  if (delayMs === undefined) return;
  // When even that fails (the queue is gone too) the job stays active, its lock lapses, and it comes back as stalled. Any
  // other error thrown here would end the job as failed, and it would be lost.
  await job.moveToDelayed(Date.now() + delayMs, token).catch(() => {});
  throw new DelayedError();
}

async function attempt<T>(handle: JobHandler<T>, log: Logger, job: Job<T>): Promise<number | undefined> {
  try {
    return await handle(job.data, { id: job.id ?? '', attempts: job.attemptsStarted });
  } catch (error) {
    log.warn({ job: job.id, reason: redact((error as Error).message) }, 'a job failed and comes back');
    return RETRY_MS;
  }
}

type Session = {
  readonly make: () => Jobs;
  readonly name: string;
  readonly at: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  worker: Jobs | undefined;
  trouble: string | undefined;
  risks: readonly QueueRisk[];
  connecting: Promise<void>;
};

/** A worker that is made while its backend is down may stay broken, so it is made again until it is ready. */
async function connect(session: Session): Promise<void> {
  const { make, name, at, signal, log } = session;
  while (!signal.aborted) {
    const candidate = make();
    const onError = errorListener(log, () => renew(session, candidate));
    candidate.on('error', onError);
    try {
      await candidate.waitUntilReady();
      session.worker = candidate;
      session.trouble = undefined;
      log.info({ queue: name, at }, 'taking jobs');
      await watchRisks(session, candidate);
      return;
    } catch (error) {
      session.trouble = `The queue at ${at} does not answer (${redact((error as Error).message)}).`;
      log.warn({ reason: session.trouble }, 'queue not reached, trying again');
      await candidate.close(true).catch(() => {});
      await pause(RETRY_MS, signal);
    }
  }
}

/** Looks at Redis' settings now and at each reconnection: another server may stand there. */
async function watchRisks(session: Session, { redis }: Jobs): Promise<void> {
  if (redis === undefined) return;
  const look = async () => {
    try {
      session.risks = redisRisks(await (await redis()).info());
      for (const risk of session.risks) session.log.warn({ risk, at: session.at }, riskSentence(risk));
    } catch (error) {
      session.log.debug({ reason: redact((error as Error).message) }, 'Redis does not tell its settings');
    }
  };
  await look();
  (await redis()).on('ready', () => void look());
}

function renew(session: Session, broken: Jobs): void {
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
type Jobs = {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(force?: boolean): Promise<void>;
  /** Its Redis, where there is one. */
  readonly redis?: () => Promise<{ info(): Promise<string>; on(event: 'ready', listener: () => void): unknown }>;
};

type Process<T> = (job: Job<T>, token?: string) => Promise<void>;

function makeWorker<T>({ url, prefix, name, concurrency }: WorkerOptions, process: Process<T>): Jobs {
  // Nothing of ours fails a job for good. Should it happen, finished jobs must not fill the queue's memory: a pack is 1 MiB at most.
  const options = { ...TUNING, concurrency, removeOnComplete: { count: 0 }, removeOnFail: { count: 20 } };
  if (isPostgres(url)) {
    const connection = { connectionString: url, schema: prefix, migrate: true, max: 4 };
    return new Worker(name, process, { ...options, connection }, postgresBackend);
  }
  const connection = { url, maxRetriesPerRequest: null, reconnectOnError: isDemoted };
  const worker = new Worker<T>(name, process, { ...options, prefix, connection });
  return Object.assign(worker, { redis: () => worker.getBackend().client });
}

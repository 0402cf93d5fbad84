import { isDemoted } from '@fairway/core';
import { type Job, type JobsOptions, Queue, withBackend } from 'bullmq';
import { isPostgres, postgresBackend, type QueuePlace } from './backend.ts';

const { Queue: PostgresBackedQueue } = withBackend(postgresBackend);
const CONNECT_TIMEOUT_MS = 3_000;
const CALL_TIMEOUT_MS = 4_000;

export type QueueOptions = QueuePlace & { readonly application: string };

/** The producing side of a queue. A call that has no answer within four seconds throws, and the next one connects anew. */
export type JobQueue<T> = {
  use<R>(work: (jobs: Jobs<T>) => Promise<R>): Promise<R>;
  close(): Promise<void>;
};

/** What we use of a queue, whichever backend it has. */
export type Jobs<T> = {
  addBulk(jobs: Array<{ name: string; data: T; opts?: JobsOptions }>): Promise<unknown>;
  getJob(id: string): Promise<Pick<Job<T>, 'promote'> | undefined>;
  getJobCounts(...states: JobState[]): Promise<Partial<Record<string, number>>>;
  getJobs(
    states: JobState[],
    first: number,
    last: number,
    ascending: boolean,
  ): Promise<ReadonlyArray<Pick<Job<T>, 'timestamp'> | undefined>>;
  close(): Promise<void>;
};

type JobState = 'wait' | 'active' | 'delayed';

/**
 * A queue that was made while its server was down stays broken (BullMQ's `add` then hangs), so each failure throws the
 * queue away and the next call makes a new one.
 */
export function jobQueue<T>(options: QueueOptions): JobQueue<T> {
  let jobs: Jobs<T> | undefined;
  return {
    use: async (work) => {
      const current = (jobs ??= open<T>(options));
      try {
        return await within(CALL_TIMEOUT_MS, work(current));
      } catch (error) {
        if (jobs === current) jobs = undefined;
        current.close().catch(() => {});
        throw error;
      }
    },
    close: async () => {
      await jobs?.close();
    },
  };
}

function open<T>({ url, prefix, name, application }: QueueOptions): Jobs<T> {
  const queue = isPostgres(url)
    ? new PostgresBackedQueue<T>(name, {
        connection: {
          connectionString: url,
          schema: prefix,
          migrate: true,
          max: 2,
          connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
          query_timeout: CALL_TIMEOUT_MS,
          application_name: application,
        },
      })
    : new Queue<T>(name, {
        prefix,
        connection: {
          url,
          connectTimeout: CONNECT_TIMEOUT_MS,
          connectionName: application,
          reconnectOnError: isDemoted,
        },
      });
  queue.on('error', () => {});
  return queue as unknown as Jobs<T>;
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the queue gave no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

import type { JobQueue } from './queue.ts';

/** Jobs that are in a queue, by state; `delayed`: they failed and come back. */
export type QueueDepth = {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  /** When the oldest of them was added, ms since 1970; undefined: the queue is empty. */
  readonly oldestAt: number | undefined;
};

const STATES = ['wait', 'active', 'delayed'] as const;

/** How much a queue holds and since when. Reads at most three jobs whole. Throws when its server is away. */
export const queueDepth = <T>(queue: JobQueue<T>): Promise<QueueDepth> =>
  queue.use(async (jobs) => {
    const { wait = 0, active = 0, delayed = 0 } = await jobs.getJobCounts(...STATES);
    // Newest first: what both backends agree on. Asked for the oldest first, PostgreSQL gives the newest when it gives one.
    const last = (state: (typeof STATES)[number], count: number) =>
      count === 0 ? [] : jobs.getJobs([state], count - 1, count - 1, false);
    const firsts = await Promise.all([last('wait', wait), last('active', active), last('delayed', delayed)]);
    // A job may have ended between the two questions; then it is not there.
    const times = firsts.flat().flatMap((job) => (job === undefined ? [] : [job.timestamp]));
    return { waiting: wait, active, delayed, oldestAt: times.length === 0 ? undefined : Math.min(...times) };
  });

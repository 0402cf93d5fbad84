import { type Logger, redact } from '@fairway/core';
import { jobQueue, type Jobs, type JobWorker, jobWorker } from '@fairway/queue';
import type { WorkQueue } from '../ports.ts';

/** BullMQ queue of changes that have something to do. */
const NAME = 'changes';

export type QueueAccess = { readonly url: string; readonly prefix: string };

/**
 * One job for each open change, its id the change's: adding it again adds nothing. A job that waits for its time is moved
 * up. That the queue is away is no reason to refuse an approval: the claims know what is due.
 */
export function workQueue({ url, prefix }: QueueAccess, log: Logger): WorkQueue & { close(): Promise<void> } {
  const queue = jobQueue<object>({ url, prefix, name: NAME, application: 'fairway-writer' });
  const add = (jobs: Jobs<object>, ids: readonly string[]) =>
    jobs.addBulk(
      ids.map((jobId) => ({ name: 'change', data: {}, opts: { jobId, removeOnComplete: true, removeOnFail: true } })),
    );
  const attempt = async (ids: readonly string[], work: (jobs: Jobs<object>) => Promise<unknown>) => {
    if (ids.length === 0) return;
    try {
      await queue.use(work);
    } catch (error) {
      const reason = redact((error as Error).message);
      log.warn({ reason }, 'the work queue does not answer; due changes are found without it');
    }
  };
  return {
    add: (ids) => attempt(ids, (jobs) => add(jobs, ids)),
    wake: (ids) =>
      attempt(ids, async (jobs) => {
        await add(jobs, ids);
        // Only a delayed job can be moved up; one that waits or runs is where it should be.
        await Promise.all(ids.map(async (id) => (await jobs.getJob(id))?.promote().catch(() => {})));
      }),
    close: () => queue.close(),
  };
}

/** Gives changes of the queue to `turn`, which answers in how many ms the change is due again (undefined: it has ended). */
export function changeWorker(
  { url, prefix }: QueueAccess,
  concurrency: number,
  turn: (id: string) => Promise<number | undefined>,
  log: Logger,
): JobWorker {
  const options = { url, prefix, name: NAME, partName: 'turns', concurrency };
  return jobWorker<object>(options, (_data, { id }) => turn(id), log);
}

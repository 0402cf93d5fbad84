import { randomBytes } from 'node:crypto';
import { type QueueDepth, jobQueue, queueDepth } from '@fairway/queue';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startPostgres } from '../../harness/postgres.ts';
import { redisFound, startOwnRedis } from '../../harness/redis.ts';

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const PLACES = [
  { kind: 'Redis', skip: !redisFound, start: () => startOwnRedis() },
  { kind: 'PostgreSQL', skip: false, start: () => startPostgres() },
];

describe.each(PLACES)(
  'the depth of a queue on $kind (Redis: skipped where redis-server is not installed)',
  ({ skip, start }) => {
    test.skipIf(skip)('counts what waits and what comes back, and since when', async () => {
      const server = await start();
      cleanups.push(server.stop);
      const prefix = `depth_${randomBytes(4).toString('hex')}`;
      const queue = jobQueue<object>({ url: server.url, prefix, name: 'packs', application: 'test' });
      cleanups.push(() => queue.close());
      const empty: QueueDepth = { waiting: 0, active: 0, delayed: 0, oldestAt: undefined };
      // A question has four seconds, of which the first may want more for its migration.
      expect(await vi.waitFor(() => queueDepth(queue), { timeout: 60_000 })).toEqual(empty);
      const at = (timestamp: number, delay = 0) => ({ name: 'pack', data: {}, opts: { timestamp, delay } });
      await queue.use((jobs) => jobs.addBulk([at(1_000_000), at(2_000_000), at(3_000_000, 86_400_000_000)]));
      const depth = await queueDepth(queue);
      expect(depth).toMatchObject({ waiting: 2, active: 0, delayed: 1 });

      expect(depth.oldestAt).toBe(1_000_000);
    });
  },
);

import { Queue } from 'bullmq';
import { type Pack, PACK_QUEUE } from '@fairway/core';
import { postgresBackend } from '../../../packages/queue/src/backend.ts';
import { startOwnRedis } from '../../harness/redis.ts';

export type Producer = { readonly add: (packs: readonly Pack[]) => Promise<void>; readonly close: () => Promise<void> };

/** Adds packs as the agent's pump does: one job per pack, its id the pack id. */
export function producer(url: string, prefix: string): Producer {
  const redis = url.startsWith('redis');
  const queue = redis
    ? new Queue(PACK_QUEUE, { prefix, connection: { url } })
    : new Queue(PACK_QUEUE, { connection: { connectionString: url, schema: prefix, migrate: true } }, postgresBackend);
  queue.on('error', () => {});
  return {
    add: async (packs) => {
      for (const one of packs) await queue.add('pack', one, { jobId: one.packId, removeOnComplete: true });
    },
    close: () => queue.close(),
  };
}

/** A Redis that keeps nothing on a disk, and has no limit. */
export const startRedis = () => startOwnRedis('--appendonly', 'no');

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { type Pack, PACK_QUEUE } from '@fairway/core';
import { postgresBackend } from '../../../packages/queue/src/backend.ts';
import { freePort } from '../../harness/ports.ts';

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

export const redisBinary = (): boolean => spawnSync('redis-server', ['--version']).status === 0;

/** A redis-server of the test's own on a free port. */
export async function startRedis(): Promise<{ url: string; stop: () => Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-redis-'));
  const port = await freePort();
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--maxmemory-policy', 'noeviction'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  await new Promise<void>((resolve) => {
    server.stdout.on(
      'data',
      (chunk: Buffer) => chunk.toString('utf8').includes('Ready to accept connections') && resolve(),
    );
  });
  const stop = async () => {
    server.kill('SIGTERM');
    await gone;
    rmSync(dir, { recursive: true, force: true });
  };
  return { url: `redis://127.0.0.1:${port}`, stop };
}

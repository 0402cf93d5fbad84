import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type Pack, PACK_QUEUE, silentLogger } from '@fairway/core';
import { expect, onTestFinished, test } from 'vitest';
import { RedisQueue } from '../../../packages/log-sidecar/src/pump/redis-queue.ts';
import { jobQueue } from '../../../packages/queue/src/queue.ts';
import { jobWorker } from '../../../packages/queue/src/worker.ts';
import { freePort } from '../../harness/ports.ts';
import { type OwnRedis, redisFound, startOwnRedis } from '../../harness/redis.ts';
import { eventually } from '../agent/agent.ts';

const PREFIX = 'fairway';

/** One address for whichever Redis is the primary, as a Service is: who is connected already stays where it is. */
async function startAddress(first: number): Promise<{ url: string; leadTo: (port: number) => void }> {
  let target = first;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `redis://127.0.0.1:${port}`, leadTo: (next) => (target = next) };
}

const startRedis = async (): Promise<OwnRedis> => {
  const redis = await startOwnRedis('--appendonly', 'no', '--repl-diskless-sync-delay', '0');
  onTestFinished(() => redis.stop());
  return redis;
};

/** What a sentinel does: the replica becomes the primary, the primary its replica. Nobody's connection is closed. */
async function failOver(from: OwnRedis, to: OwnRedis): Promise<void> {
  await to.client.call('REPLICAOF', '127.0.0.1', String(from.port));
  await eventually(async () => /master_link_status:up/.test(await to.client.info('replication')));
  await to.client.call('REPLICAOF', 'NO', 'ONE');
  await from.client.call('REPLICAOF', '127.0.0.1', String(to.port));
}

const packOf = (packId: string): Pack => ({
  v: 1,
  packId,
  agent: 'a',
  epoch: 'e',
  first: 1,
  last: 1,
  exchanges: 1,
  payload: '',
  dropped: {},
});

test.skipIf(!redisFound)(
  'a Redis that was demoted is left by who adds and who takes: the address leads to the new one (skipped where redis-server is not installed)',
  async () => {
    const [old, next] = [await startRedis(), await startRedis()];
    const { url, leadTo } = await startAddress(old.port);
    const agent = new RedisQueue(url, PREFIX, Math.random);
    onTestFinished(() => agent.close());
    const place = { url, prefix: PREFIX, name: PACK_QUEUE };
    const jobs = jobQueue<Pack>({ ...place, application: 'test' });
    onTestFinished(() => jobs.close());
    const taken: string[] = [];
    const worker = jobWorker<Pack>(
      { ...place, partName: 'packs', concurrency: 1 },
      async (_, { id }) => void taken.push(id),
      silentLogger,
    );
    await worker.start();
    onTestFinished(() => worker.stop());
    const untilAdded = (add: () => Promise<unknown>) => eventually(() => add().then(() => true), 20_000);
    const bulk = (id: string) => () =>
      jobs.use((queue) => queue.addBulk([{ name: 'pack', data: packOf(id), opts: { jobId: id } }]));
    await untilAdded(() => agent.add(packOf('agent-1')));
    await untilAdded(bulk('bulk-1'));
    await eventually(async () => taken.length === 2);

    await failOver(old, next);
    leadTo(next.port);
    await untilAdded(() => agent.add(packOf('agent-2')));
    await untilAdded(bulk('bulk-2'));
    await eventually(async () => taken.length >= 4, 20_000);
    expect(taken.toSorted()).toEqual(['agent-1', 'agent-2', 'bulk-1', 'bulk-2']);
    expect(await next.client.exists(`${PREFIX}:${PACK_QUEUE}:meta`)).toBe(1);
  },
);

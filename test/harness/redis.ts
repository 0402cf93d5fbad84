import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { tieToUs } from '../../packages/cli/src/stack/tied.ts';
import { freePort } from './ports.ts';

const BINARY = 'redis-server';

export const redisFound = spawnSync(BINARY, ['--version']).status === 0;

/** A redis-server with AOF everysec in a folder and on a port of its own, which can die and come back with its data. It ends with us. */
export type OwnRedis = {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** A client that connects again by itself; commands wait meanwhile. */
  readonly client: Redis;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same data and waits until it answers. */
  start(): Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function startOwnRedis(...settings: string[]): Promise<OwnRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-test-redis-'));
  const port = await freePort();
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  const policy = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];
  const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => {});
  let child: ChildProcess | undefined;
  let isOver = false;
  const start = async () => {
    // Whoever kills it and brings it back may be later than the end of the test.
    if (isOver) throw new Error('this Redis was stopped');
    child = spawn(BINARY, [...fixed, ...policy, ...settings], { stdio: 'ignore' });
    tieToUs(child, 'SIGKILL');
    // It answers PING while it still loads its data, and refuses everything else.
    while ((await client.dbsize().catch(() => undefined)) === undefined) await once(client, 'ready').catch(() => {});
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child?.pid ?? 0;
    },
    client,
    end,
    start,
    stop: async () => {
      isOver = true;
      client.disconnect();
      await end('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Pool, type PoolConfig } from 'pg';
import { dataPlace } from '../../packages/cli/src/stack/postgres/binaries.ts';
import { createDatabase, dropDatabase, startPostgresServer } from '../../packages/cli/src/stack/postgres/server.ts';
import { inject } from 'vitest';
import { freePort } from './ports.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
  }
}

/** How long a dropped database waits for the sessions that its test has just ended. */
const PARTING_MS = 30_000;

/**
 * Waits until nobody is connected to `name`: `pool.end()` resolves before the server has seen its clients leave, and a drop would end
 * them with an error that no test listens for. Sessions that stay are left to the drop.
 */
async function sessionsGone(server: string, name: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    const until = Date.now() + PARTING_MS;
    const open = async () =>
      (await client.query('select from pg_stat_activity where datname = $1', [name])).rowCount !== 0;
    while (Date.now() < until && (await open())) await sleep(20);
  } finally {
    await client.end();
  }
}

/** A fresh database on the run's own PostgreSQL (started once by `globalSetup`). `stop` drops it once its sessions have ended. */
export async function startPostgres(): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = inject('postgresUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = await createDatabase(server, name);
  const stop = async () => {
    await sessionsGone(server, name);
    await dropDatabase(server, name);
  };
  return { url, stop };
}

/**
 * A test's connections. `end()` resolves before the server has seen them leave, and a server that is stopped or a database that is dropped
 * then ends them with an error: one that nobody hears fails the whole run.
 */
export function openTestPool(url: string, settings: Omit<PoolConfig, 'connectionString'> = {}): Pool {
  const pool = new Pool({ connectionString: url, ...settings });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** A PostgreSQL server of the caller's own, for tests that stop or kill it. */
export async function startOwnPostgres(): Promise<{
  url: string;
  pid: number;
  port: number;
  stop: () => Promise<void>;
}> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-test-pg-'));
  const port = await freePort();
  const server = await startPostgresServer({
    dataDir: join(dir, 'data'),
    port,
    password: randomBytes(12).toString('hex'),
  });
  const stop = async () => {
    await server.stop();
    rmSync(dataPlace(join(dir, 'data')), { recursive: true, force: true });
    rmSync(dir, { recursive: true, force: true });
  };
  return { url: server.url, pid: server.pid, port, stop };
}

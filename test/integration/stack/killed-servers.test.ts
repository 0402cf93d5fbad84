import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { dataPlace } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { postgresUrl } from '../../../packages/cli/src/stack/postgres/server.ts';
import { isFree } from '../../../packages/cli/src/stack/ports.ts';
import { freePort } from '../../harness/ports.ts';
import { openTestPool } from '../../harness/postgres.ts';
import { redisFound } from '../../harness/redis.ts';
import { startStackProcess } from '../../harness/stack-process.ts';

const PASSWORD = 'test-password';

/** Puts a value into the server on this port, or gets the one that is there. */
type Value = (port: number, given?: string) => Promise<string | null | undefined>;

async function inRedis(port: number, given?: string): Promise<string | null> {
  const client = new Redis({ port, password: PASSWORD });
  if (given !== undefined) await client.set('given', given);
  const value = await client.get('given');
  await client.quit();
  return value;
}

async function inPostgres(port: number, given?: string): Promise<string | undefined> {
  const pool = openTestPool(postgresUrl(port, PASSWORD));
  if (given !== undefined) await pool.query(`create table given as select '${given}' as value`);
  const { rows } = await pool.query<{ value: string }>('select value from given');
  await pool.end();
  return rows[0]?.value;
}

test.for([
  ['redis', inRedis satisfies Value, redisFound],
  ['postgres', inPostgres satisfies Value, true],
] as const)(
  'a %s process that is killed takes its server along, and the next one has its data (Redis: skipped where redis-server is not installed)',
  async ([name, value, available], { skip, onTestFinished }) => {
    if (!available) skip('redis-server is not installed');
    const dir = mkdtempSync(join(tmpdir(), 'fairway killed '));
    const port = await freePort();
    const env = { DATA_DIR: join(dir, 'data'), PORT: String(port), PASSWORD };
    onTestFinished(() => {
      for (const folder of [dataPlace(env.DATA_DIR), dir]) rmSync(folder, { recursive: true, force: true });
    });
    const first = await startStackProcess(name, env);
    await value(port, 'before the kill');
    await first.kill();
    // At once, as a supervisor does it.
    const second = await startStackProcess(name, env);
    expect(await value(port)).toBe('before the kill');
    await second.kill();
    await expect.poll(() => isFree(port)).toBe(true);
  },
);

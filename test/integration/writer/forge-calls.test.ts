import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FairwayError, type Logger, systemClock } from '@fairway/core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { forgeClient } from '../../../packages/gitops-writer/src/forges/http/client.ts';
import { GITHUB_LIMITS } from '../../../packages/gitops-writer/src/forges/http/budget.ts';
import type { CallKind, SharedCalls } from '../../../packages/gitops-writer/src/ports.ts';
import { forgeCalls } from '../../../packages/gitops-writer/src/store/forge-calls.ts';
import { migrate } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { openPool } from '../../../packages/gitops-writer/src/store/pool.ts';
import { startPostgres } from '../../harness/postgres.ts';

const LOG = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;
const HOST = 'https://api.github.com';

let pool: Pool;
let other: Pool;
let stop: () => Promise<void>;
beforeAll(async () => {
  const postgres = await startPostgres();
  pool = openPool(postgres.url, 4, LOG);
  other = openPool(postgres.url, 4, LOG);
  await migrate(pool);
  stop = async () => {
    await Promise.all([pool.end(), other.end()]);
    await postgres.stop();
  };
});
afterAll(() => stop());
beforeEach(() => pool.query('TRUNCATE changes.forge_calls, changes.forge_pauses'));

const takes = (calls: SharedCalls, kind: CallKind, times: number, host = HOST) =>
  Promise.all(Array.from({ length: times }, () => calls.take(host, 'core', kind, GITHUB_LIMITS.windows)));
const free = (waits: readonly number[]) => waits.filter((wait) => wait === 0).length;
/** As if all that was counted had been called so much earlier. */
const later = (ms: number) => pool.query(`UPDATE changes.forge_calls SET at = at - $1 * interval '1 ms'`, [ms]);

it('lets two writers at once have 80 writes a minute together, and 500 an hour', async () => {
  const [one, two] = [forgeCalls(pool), forgeCalls(other)];
  const both = await Promise.all([takes(one, 'write', 70), takes(two, 'write', 70)]);
  expect(free(both.flat())).toBe(80);
  const [wait = 0] = await takes(two, 'write', 1);
  expect(wait).toBeGreaterThan(30_000);
  expect(wait).toBeLessThanOrEqual(60_000);
  // Another host, and reads of this one, are not held up by that.
  expect(free(await takes(one, 'write', 1, 'https://api.bank.ghe.com'))).toBe(1);
  expect(free(await takes(one, 'read', 600))).toBe(500);
  let sent = 80;
  for (let minute = 0; minute < 10; minute++) {
    await later(60_000);
    sent += free(await takes(minute % 2 === 0 ? one : two, 'write', 100));
  }
  expect(sent).toBe(500);
  const [hour = 0] = await takes(one, 'write', 1);
  expect(hour).toBeGreaterThan(3_600_000 - 11 * 60_000);
  await later(3_600_000);
  expect(free(await takes(one, 'write', 100))).toBe(80);
  const { rows } = await pool.query('SELECT sum(calls)::integer AS kept FROM changes.forge_calls WHERE host = $1', [
    HOST,
  ]);
  expect(rows).toEqual([{ kept: 80 }]);
});

it('tells every writer of a pause that one was asked for', async () => {
  const [one, two] = [forgeCalls(pool), forgeCalls(other)];
  await one.pause(HOST, '*', 60_000);
  await one.pause(HOST, '*', 1_000);
  await one.pause(HOST, 'graphql', 90_000);
  const [wait = 0] = await takes(two, 'read', 1);
  expect(wait).toBeGreaterThan(50_000);
  expect(wait).toBeLessThanOrEqual(60_000);
  const graphql = await two.take(HOST, 'graphql', 'read', GITHUB_LIMITS.windows);
  expect(graphql).toBeGreaterThan(80_000);
});

it('is asked by the client of a forge with published limits before anything goes out, and told what it answers', async () => {
  let sent = 0;
  const server = createServer((_, response) => {
    sent += 1;
    response.writeHead(403, { 'retry-after': '40' }).end('{"message":"You have exceeded a secondary rate limit."}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = (shared: SharedCalls) =>
    forgeClient({
      base,
      credentials: { current: () => Promise.resolve({ user: 'u', token: 't' }), header: () => ({}) },
      limits: GITHUB_LIMITS,
      shared,
      clock: systemClock,
    });
  try {
    const refused = await client(forgeCalls(pool))('POST', '/graphql').catch((error: FairwayError) => error);
    expect(refused).toMatchObject({ code: 'forge.unavailable', detail: { retryAfterMs: 40_000 } });
    const waits = await client(forgeCalls(other))('GET', '/user').catch((error: FairwayError) => error);
    expect(waits).toMatchObject({ code: 'forge.unavailable', message: expect.stringContaining('take no more reads') });
    expect(sent).toBe(1);
    const { rows } = await pool.query('SELECT host, kind, calls FROM changes.forge_calls');
    expect(rows).toEqual([{ host: base, kind: 'write', calls: 1 }]);
  } finally {
    server.close();
  }
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Pack } from '@fairway/core';
import { afterEach, describe, expect, test } from 'vitest';
import { dataPlace } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { startPostgresServer } from '../../../packages/cli/src/stack/postgres/server.ts';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { freePort } from '../../harness/ports.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { redisFound } from '../../harness/redis.ts';
import { recount, sorted, stored } from './counts.ts';
import { producer, startRedis } from './queue.ts';
import { baseline, cases, type Child, modelVersion, MODEL, packsOf, startProcess, until } from './support.ts';

const REFERENCE = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };
const PREFIX = 'packs_test';

const cleanups: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type World = {
  pool: Pool;
  queueUrl: string;
  env: Record<string, string>;
  writer: Awaited<ReturnType<typeof startFakeWriter>>;
};

async function world(queue: 'redis' | 'postgres'): Promise<World> {
  const database = await startPostgres();
  cleanups.push(database.stop);
  const writer = await startFakeWriter();
  cleanups.push(writer.stop);
  writer.state.references.set(`${MODEL}/1`, REFERENCE);
  const redis = queue === 'redis' ? await startRedis() : undefined;
  if (redis) cleanups.push(redis.stop);
  const pool = openTestPool(database.url);
  cleanups.push(() => pool.end());
  const queueUrl = redis?.url ?? database.url;
  const env = {
    DATABASE_URL: database.url,
    QUEUE_URL: queueUrl,
    QUEUE_PREFIX: PREFIX,
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
    MONITOR_TOKEN: 'monitor-test-token',
  };
  return { pool, queueUrl, env, writer };
}

async function recorder(env: Record<string, string>): Promise<Child> {
  const child = await startProcess('recorder-main.ts', env);
  cleanups.push(child.stop);
  return child;
}

async function add(queueUrl: string, packs: readonly Pack[]): Promise<void> {
  const queue = producer(queueUrl, PREFIX);
  await queue.add(packs);
  await queue.close();
}

const account = async (url: string) => {
  const answer = await fetch(`${url}/v1/account?model=${MODEL}`, {
    headers: { authorization: 'Bearer monitor-test-token' },
  });
  return (await answer.json()) as { stored: number; packs: number };
};

const expectExact = async ({ pool }: World) =>
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, REFERENCE.baseline)));

for (const kind of ['postgres', 'redis'] as const) {
  const available = kind === 'postgres' || redisFound;
  describe.skipIf(!available)(`on a ${kind} queue (redis: skipped where redis-server is not installed)`, () => {
    test('two recorders store every pack once; one dies by SIGKILL in the middle and comes back', async () => {
      const its = await world(kind);
      const packs = packsOf(cases(6000, 2), PERIOD, 'k', '1', 100);
      const first = await recorder(its.env);
      const second = await recorder(its.env);
      await add(its.queueUrl, packs);
      await until('some packs', 60, async () => ((await account(second.url)).packs >= 5 ? true : undefined));
      await first.kill();
      await add(its.queueUrl, packs.slice(0, 20));
      const third = await recorder(its.env);
      await until('all packs', 90, async () => ((await account(third.url)).stored === 6000 ? true : undefined));
      expect(await account(third.url)).toMatchObject({ stored: 6000, packs: packs.length });
      await expectExact(its);
      // Its Redis has neither a limit nor an append-only file.
      const risks = kind === 'redis' ? ['unbounded', 'volatile'] : [];
      await until('the risks of the queue', 60, async () => {
        const metrics = await (await fetch(`${third.url}/metrics`)).text();
        const told = [...metrics.matchAll(/fairway_queue_risk\{risk="(\w+)"\} 1/g)].map(([, risk]) => risk);
        return JSON.stringify(told) === JSON.stringify(risks) ? true : undefined;
      });
    });
  });
}

test('a database and queue that are killed and come back lose nothing and need no restart of the recorder', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-killed-'));
  cleanups.push(async () => rmSync(dir, { recursive: true, force: true }));
  const options = { dataDir: join(dir, 'data'), port: await freePort(), password: 'test-password' };
  cleanups.push(async () => rmSync(dataPlace(options.dataDir), { recursive: true, force: true }));
  const first = await startPostgresServer(options);
  const its = await world('postgres');
  const child = await recorder({ ...its.env, DATABASE_URL: first.url, QUEUE_URL: first.url });
  await add(first.url, packsOf(cases(400, 5), PERIOD, 'd1', '1', 100));
  await until('some packs', 60, async () => ((await account(child.url)).packs >= 1 ? true : undefined));
  process.kill(first.pid, 'SIGKILL');
  await until('the recorder to notice', 60, async () =>
    (await fetch(`${child.url}/readyz`)).status === 503 ? true : undefined,
  );
  const second = await startPostgresServer(options);
  cleanups.push(() => second.stop(), child.stop);
  await add(second.url, packsOf(cases(400, 6), PERIOD, 'd2', '1', 100));
  await until('all packs', 90, async () =>
    (await account(child.url).catch(() => undefined))?.stored === 800 ? true : undefined,
  );
});

test('a pack waits while the writer is down, and is stored when it is back', async () => {
  const its = await world('postgres');
  its.writer.state.down = true;
  const child = await recorder(its.env);
  await add(its.queueUrl, packsOf(cases(50, 3), PERIOD, 'w'));
  await until('a first try', 60, () => (child.log().includes('it comes back') ? true : undefined));
  expect((await account(child.url)).stored).toBe(0);
  its.writer.state.down = false;
  await until('the pack', 60, async () => ((await account(child.url)).stored === 50 ? true : undefined));
  await expectExact(its);
});

test('labels come in over HTTP; every refusal says why', async () => {
  const its = await world('postgres');
  const child = await recorder(its.env);
  await add(its.queueUrl, packsOf(cases(3, 4), PERIOD, 'h'));
  await until('the pack', 60, async () => ((await account(child.url)).stored === 3 ? true : undefined));
  const post = async (body: string, type: string, token = 'monitor-test-token') => {
    const answer = await fetch(`${child.url}/v1/labels`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, authorization: `Bearer ${token}` },
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const lines = [
    '{"id":"h-0-0","label":1}',
    '',
    '{"id":"h-1-0","label":0,"observedAt":"2025-02-01T00:00:00Z"}',
    '{"id":"later","label":1}',
    '{"id":"h-2-0","label":2}',
    'no json',
  ];
  expect(await post(lines.join('\n'), 'application/x-ndjson')).toEqual({
    status: 200,
    body: {
      joined: 2,
      early: 1,
      unchanged: 0,
      corrected: 0,
      refused: [
        { id: 'h-2-0', reason: 'label must be 0 or 1' },
        { id: 'line 6', reason: 'this line is no JSON' },
      ],
      refusedTotal: 2,
    },
  });
  expect((await post('{"id":"h-2-0","label":1}', 'application/json')).body).toMatchObject({ joined: 1 });
  expect(await post('{"id":"h-2-0"}', 'application/json')).toMatchObject({
    status: 400,
    body: {
      code: 'input.invalid',
      detail:
        'The label cannot be used: label must be 0 or 1, a number where the model predicts one, or a class where it predicts one of several.',
    },
  });
  expect(await post('{}', 'application/json', 'wrong-token')).toMatchObject({
    status: 401,
    body: { code: 'auth.refused' },
  });
  expect((await fetch(`${child.url}/readyz`)).status).toBe(200);
  expect(await (await fetch(`${child.url}/metrics`)).text()).toContain('fairway_predictions_stored_total 3');
});

test('an unreachable database or a missing setting ends the start with a sentence', async () => {
  const its = await world('postgres');
  await expect(
    startProcess('recorder-main.ts', { ...its.env, DATABASE_URL: 'postgres://u:secret@127.0.0.1:1/x' }),
  ).rejects.toThrow(/PostgreSQL at postgres:\/\/127\.0\.0\.1:1 does not answer .*Check DATABASE_URL/);
  const { WRITER_TOKEN: _, ...without } = its.env;
  await expect(startProcess('recorder-main.ts', without)).rejects.toThrow(
    /WRITER_TOKEN is not set \(token of the writer\)/,
  );
});

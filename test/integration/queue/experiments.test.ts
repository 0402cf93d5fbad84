import { randomBytes } from 'node:crypto';
import type { Pack } from '@fairway/core';
import { PACK_QUEUE, packId, silentLogger } from '@fairway/core';
import { jobWorker } from '@fairway/queue';
import type { Pool } from 'pg';
import { describe, expect, type TestContext, test, vi } from 'vitest';
import { PostgresQueue } from '../../../packages/log-sidecar/src/pump/postgres-queue.ts';
import { RedisQueue } from '../../../packages/log-sidecar/src/pump/redis-queue.ts';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { redisFound, startOwnRedis } from '../../harness/redis.ts';
import { startWire, type Wire } from '../../harness/wire.ts';
import { cases, type Child, MODEL, packsOf, startProcess } from '../monitor/support.ts';

// The failure experiments of the capture reference (§5.3, §5.4), with our own ends of the queue. Each has servers of its own and waits most
// of the time, for locks that lapse and calls that give up: they do so side by side.
if (!redisFound) console.log('Redis: skipped, no redis-server binary is on the PATH.');

const PREFIX = 'experiments';
const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };
const PATIENCE = { timeout: 60_000, interval: 50 };

/** Has something done after the test, the last first. */
type After = TestContext['onTestFinished'];

function packOf(first: number, bytes: number): Pack {
  const payload = randomBytes(Math.ceil((bytes * 3) / 4)).toString('base64');
  const range = { first, last: first, exchanges: 1, payload, dropped: {} };
  return { v: 1, packId: packId('agent', 'epoch', first, first), agent: 'agent', epoch: 'epoch', ...range };
}

/** Takes jobs until the test ends; the ids of all packs that it was given, in order. */
function takeAll(url: string, after: After): string[] {
  const given: string[] = [];
  const options = { url, prefix: PREFIX, name: PACK_QUEUE, partName: 'packs', concurrency: 2 };
  const take = async ({ packId: id }: Pack): Promise<undefined> => {
    given.push(id);
  };
  const worker = jobWorker<Pack>(options, take, silentLogger);
  void worker.start();
  after(() => worker.stop());
  return given;
}

const patiently = <T>(condition: () => T | Promise<T>): Promise<T> => vi.waitFor(condition, PATIENCE);

type Place = { readonly url: string; readonly throughWire: string; readonly wire: Wire };

async function place(kind: string, after: After, ...settings: string[]): Promise<Place> {
  const server = kind === 'Redis' ? await startOwnRedis(...settings) : await startPostgres();
  after(server.stop);
  const wire = await startWire(Number(new URL(server.url).port));
  after(() => wire.stop());
  const throughWire = new URL(server.url);
  throughWire.port = String(wire.port);
  return { url: server.url, throughWire: throughWire.href, wire };
}

function queueAt(url: string, after: After): RedisQueue | PostgresQueue {
  const queue = url.startsWith('redis') ? new RedisQueue(url, PREFIX, () => 0) : new PostgresQueue(url, PREFIX);
  after(() => queue.close().catch(() => {}));
  return queue;
}

/** Adds again until the queue has taken it, as the pump does. */
async function addPatiently(queue: RedisQueue | PostgresQueue, pack: Pack): Promise<void> {
  await patiently(() => queue.add(pack));
}

test.skipIf(!redisFound).concurrent(
  'E1: a Redis that is filled to the brim still empties, and then takes packs again (skipped where redis-server is not installed)',
  async ({ onTestFinished: after }) => {
    const { url } = await place('Redis', after, '--maxmemory', '4mb');
    const queue = queueAt(url, after);
    const added: string[] = [];
    const fill = async () => {
      for (let i = added.length; i < 20_000; i++) {
        const pack = packOf(i, 450);
        await queue.add(pack);
        added.push(pack.packId);
      }
    };
    await expect(fill()).rejects.toThrow(/holds 70 % of its maxmemory/);
    expect(added.length).toBeGreaterThan(100);
    const given = takeAll(url, after);
    await patiently(() => expect(given.toSorted()).toEqual(added.toSorted()));
    await addPatiently(queue, packOf(20_000, 450));
    await patiently(() => expect(given).toHaveLength(added.length + 1));
  },
  240_000,
);

describe.concurrent.each([
  ['PostgreSQL', true],
  ['Redis', redisFound],
])('with the queue on %s (Redis: skipped where redis-server is not installed)', (kind, available) => {
  const run = test.skipIf(!available);

  run(
    'E2: adds that are cut anywhere, or whose answers are lost, are repeated into one job each',
    async ({ onTestFinished: after }) => {
      const { url, throughWire, wire } = await place(kind, after);
      const queue = queueAt(throughWire, after);
      await addPatiently(queue, packOf(0, 100));
      const ids = [packOf(0, 100).packId];
      for (const [i, bytes] of [1, 300, 2_000, 9_000, 20_000, 40_000].entries()) {
        const pack = packOf(i + 1, 20_000);
        wire.cutAfter(bytes);
        await addPatiently(queue, pack);
        ids.push(pack.packId);
      }
      expect(wire.cuts).toBeGreaterThan(3);
      const deaf = packOf(100, 20_000);
      wire.loseAnswers();
      await expect(queue.add(deaf)).rejects.toThrow();
      wire.mend();
      await addPatiently(queue, deaf);
      const given = takeAll(url, after);
      await patiently(() => expect(given).toEqual(expect.arrayContaining([...ids, deaf.packId])));
      expect(given).toHaveLength(ids.length + 1);
    },
    240_000,
  );

  run(
    '5.4: a queue that is away rejects an add, at its creation too, and takes the next one when it is back',
    async ({ onTestFinished: after }) => {
      const { url, throughWire, wire } = await place(kind, after);
      wire.freeze();
      const early = queueAt(throughWire, after);
      await expect(early.add(packOf(1, 100))).rejects.toThrow();
      wire.mend();
      await addPatiently(early, packOf(1, 100));
      wire.freeze();
      await expect(early.add(packOf(2, 100))).rejects.toThrow();
      wire.mend();
      await addPatiently(early, packOf(2, 100));
      const given = takeAll(url, after);
      await patiently(() => expect(given.toSorted()).toEqual([packOf(1, 1).packId, packOf(2, 1).packId].toSorted()));
    },
    240_000,
  );

  run(
    'E4: a pack in the hands of one recorder after the other that is killed is given to the next one, and stored once',
    async ({ onTestFinished: after }) => {
      const its = await recording(kind, after);
      const held = await hold(its.pool, after);
      // The sessions of killed recorders go on waiting for the table: what counts is that there is a new one.
      const known = new Set<number>();
      for (let crash = 0; crash < 3; crash++) {
        const doomed = await its.recorder();
        for (const session of await held.by(known.size + 1)) known.add(session);
        expect(known.size).toBe(crash + 1);
        await doomed.kill();
      }
      await held.release();
      const last = await its.recorder();
      await patiently(async () => expect((await its.account(last)).stored).toBe(50));
      await its.add('later');
      await patiently(async () => expect((await its.account(last)).stored).toBe(100));
      expect(await its.account(last)).toMatchObject({ packs: 2, quarantined: 0 });
    },
    300_000,
  );

  run(
    'E5: a recorder frozen past its lock wakes up to find its pack stored, stores nothing twice and goes on',
    async ({ onTestFinished: after }) => {
      const its = await recording(kind, after);
      const held = await hold(its.pool, after);
      const frozen = await its.recorder();
      await held.by(1);
      frozen.process.kill('SIGSTOP');
      const second = await its.recorder();
      // Its lock has lapsed when another one has the same pack in hand.
      await held.by(2);
      await held.release();
      await patiently(async () => expect((await its.account(second)).stored).toBe(50));
      frozen.process.kill('SIGCONT');
      await second.stop();
      await its.add('later');
      await patiently(async () => expect((await its.account(frozen)).stored).toBe(100));
      expect(await its.account(frozen)).toMatchObject({ packs: 2, stored: 100 });
    },
    240_000,
  );
});

/** A queue with one pack of 50 predictions, and recorders for it. */
async function recording(kind: string, after: After) {
  const database = await startPostgres();
  after(database.stop);
  const redis = kind === 'Redis' ? await startOwnRedis() : undefined;
  after(() => redis?.stop());
  const writer = await startFakeWriter();
  after(writer.stop);
  const pool = openTestPool(database.url);
  after(() => pool.end());
  const queueUrl = redis?.url ?? database.url;
  const [recorders, MONITOR_TOKEN] = [{ QUEUE_URL: queueUrl, QUEUE_PREFIX: PREFIX }, 'monitor-test-token'];
  const writing = { WRITER_URL: writer.url, WRITER_TOKEN: writer.token, DATABASE_URL: database.url, MONITOR_TOKEN };
  const recorder = async (): Promise<Child> => {
    const child = await startProcess('recorder-main.ts', { ...recorders, ...writing });
    after(child.kill);
    return child;
  };
  const add = async (prefix: string) => {
    const queue = queueAt(queueUrl, after);
    for (const pack of packsOf(cases(50, 1), PERIOD, prefix)) await addPatiently(queue, pack);
  };
  const first = await recorder();
  await first.stop();
  await add('first');
  const account = async ({ url }: Child) => {
    const answer = await fetch(`${url}/v1/account?model=${MODEL}`, {
      headers: { authorization: `Bearer ${MONITOR_TOKEN}` },
    });
    return (await answer.json()) as { stored: number; packs: number };
  };
  return { pool, recorder, add, account };
}

/** Holds up every recorder before it writes, when it looks up what it knows of the model. */
async function hold(pool: Pool, after: After) {
  const client = await pool.connect();
  await client.query('begin');
  await client.query('lock table monitoring.model_references in access exclusive mode');
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  let isHeld = true;
  const release = async () => {
    if (!isHeld) return;
    isHeld = false;
    await client.query('commit');
    client.release();
  };
  after(release);
  const sessions = async (question: string) =>
    (await pool.query<{ pid: number }>(question, [rows[0]?.pid])).rows.map(({ pid }) => pid);
  return {
    /** Waits until so many sessions have a pack in hand and nothing else is under way; answers them. */
    by: (count: number): Promise<number[]> =>
      patiently(async () => {
        expect(await sessions(BUSY)).toEqual([]);
        const held = await sessions(HELD);
        expect(held).toHaveLength(count);
        return held;
      }),
    release,
  };
}

/** By the question that is asked for a pack: hours to be counted again are looked for in the same table. */
const HELD = `
select pid from pg_locks join pg_stat_activity using (pid)
where not granted and relation = 'monitoring.model_references'::regclass and query like '%"modelVersion"%' and pid <> $1`;

/** A process that is frozen within another transaction, of a migration for one, holds up everybody by its locks. */
const BUSY = `
select pid from pg_stat_activity
where datname = current_database() and pid not in (pg_backend_pid(), $1)
  and state <> 'idle' and wait_event_type is distinct from 'Lock'`;

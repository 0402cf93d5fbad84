import { execFile } from 'node:child_process';
import { Client } from 'pg';
import type { Pack } from '@fairway/core';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { dropDatabase } from '../../../packages/cli/src/stack/postgres/server.ts';
import { BIN } from '../../harness/demo.ts';
import { type FakeWriter, startFakeWriter } from '../../harness/fake-writer.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { recount, sorted, stored } from '../monitor/counts.ts';
import { producer } from '../monitor/queue.ts';
import {
  baseline,
  cases,
  type Child,
  exchange,
  modelVersion,
  MODEL,
  pack,
  startProcess,
  until,
} from '../monitor/support.ts';

const PREFIX = 'backup_test';
const TOKEN = 'monitor-test-token';
const REFERENCE = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const ROWS = cases(600, 61);

let database: Awaited<ReturnType<typeof startPostgres>>;
/** The queue's own server survives. */
let queue: Awaited<ReturnType<typeof startPostgres>>;
let writer: FakeWriter;
let children: Child[];
let copy: string;

beforeEach(async () => {
  [database, queue] = [await startPostgres(), await startPostgres()];
  copy = `${nameOf(database.url)}_backup`;
  writer = await startFakeWriter();
  writer.state.references.set(`${MODEL}/1`, REFERENCE);
  children = [];
});
afterEach(async () => {
  for (const child of children) await child.kill();
  await writer.stop();
  await dropDatabase(inject('postgresUrl'), copy);
  await Promise.all([database.stop(), queue.stop()]);
});

const nameOf = (url: string) => new URL(url).pathname.slice(1);

/** A copy of all files of `from` as they are in one moment, as database `to`. */
async function copyDatabase(from: string, to: string): Promise<void> {
  await dropDatabase(inject('postgresUrl'), to);
  const client = new Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [from]);
    await client.query(`create database ${client.escapeIdentifier(to)} template ${client.escapeIdentifier(from)}`);
  } finally {
    await client.end();
  }
}

async function recorder(): Promise<Child> {
  const child = await startProcess('recorder-main.ts', {
    DATABASE_URL: database.url,
    QUEUE_URL: queue.url,
    QUEUE_PREFIX: PREFIX,
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
    MONITOR_TOKEN: TOKEN,
  });
  children.push(child);
  return child;
}

/** Calls `from` to `to` of one agent's epoch, 50 to a pack. */
function packs(from: number, to: number): Pack[] {
  const all: Pack[] = [];
  for (let first = from; first <= to; first += 50) {
    const seqs = Array.from({ length: 50 }, (_, index) => first + index);
    const time = (seq: number) => new Date(Date.parse('2025-01-01T00:00:00Z') + seq * 30_000).toISOString();
    all.push(
      pack(
        seqs.map((seq) => exchange({ id: `b-${seq}`, rows: [ROWS[seq - 1] ?? never(seq)], time: time(seq) }, seq)),
        first,
        'epoch-1',
      ),
    );
  }
  return all;
}

function never(seq: number): never {
  throw new Error(`there is no row ${seq}`);
}

async function add(all: readonly Pack[]): Promise<void> {
  const end = producer(queue.url, PREFIX);
  await end.add(all);
  await end.close();
}

async function ask<T extends object>(sql: string): Promise<T[]> {
  const pool = openTestPool(database.url, { max: 1 });
  try {
    return (await pool.query<T>(sql)).rows;
  } finally {
    await pool.end();
  }
}

const predictions = async () =>
  (await ask<{ n: number }>('select count(*)::int as n from monitoring.predictions'))[0]?.n ?? 0;
const become = (n: number) =>
  until(`${n} predictions`, 60, async () => ((await predictions()) === n ? true : undefined));

async function label(child: Child, to: number): Promise<object> {
  const lines = Array.from({ length: to }, (_, index) => `b-${index + 1}-0,${ROWS[index]?.label}`);
  const answer = await fetch(`${child.url}/v1/labels`, {
    method: 'POST',
    body: `id,label\n${lines.join('\n')}`,
    headers: { 'content-type': 'text/csv', authorization: `Bearer ${TOKEN}` },
  });
  return (await answer.json()) as object;
}

/** What `fairway account` prints and ends with. */
const account = (child: Child) =>
  new Promise<{ code: number; text: string }>((resolve) => {
    const env = {
      ...process.env,
      FAIRWAY_WRITER_URL: writer.url,
      FAIRWAY_WRITER_TOKEN: writer.token,
      FAIRWAY_RECORDER_URL: child.url,
      FAIRWAY_MONITOR_TOKEN: TOKEN,
    };
    const argv = [BIN, 'account', '--since', '7d', '--json'];
    execFile(process.execPath, argv, { env }, (error, text) => resolve({ code: Number(error?.code ?? 0), text }));
  });

test('a database that is lost comes back from an older backup; what waits is stored, what is missing is told to the number', async () => {
  const first = await recorder();
  await add(packs(1, 200));
  await become(200);
  await label(first, 100);
  await first.stop();
  await copyDatabase(nameOf(database.url), copy);

  const second = await recorder();
  await add(packs(201, 400));
  await become(400);
  await label(second, 200);
  expect((await account(second)).code).toBe(0);
  await second.kill();
  await add(packs(401, 600));

  await copyDatabase(copy, nameOf(database.url));
  expect(await predictions()).toBe(200);
  const third = await recorder();
  await become(400);
  // Packs may overtake each other for two minutes; after that a gap has no excuse.
  await ask("update monitoring.packs set recorded_at = recorded_at - interval '1 hour'");
  const { code, text } = await account(third);
  expect(code).toBe(1);
  const told = JSON.parse(text) as { epochs: object[]; gaps: object[]; complete: boolean };
  expect(told.complete).toBe(false);
  expect(told.epochs).toMatchObject([{ captured: 600, recorded: 400, unexplained: 200, inFlight: 0 }]);
  expect(told.gaps).toMatchObject([{ firstMissing: 201, lastMissing: 400, unexplained: 200 }]);

  // Whoever labels sends again what came after the backup; what is known stays.
  expect(await label(third, 200)).toMatchObject({ joined: 100, unchanged: 100, corrected: 0, refusedTotal: 0 });

  // Packs that come again, from a spool or a queue of before, count once.
  await add([...packs(1, 200), ...packs(401, 600), ...packs(201, 250)]);
  await become(450);
  const pool = openTestPool(database.url, { max: 1 });
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, REFERENCE.baseline)));
  await pool.end();
  expect(JSON.parse((await account(third)).text)).toMatchObject({ epochs: [{ recorded: 450, unexplained: 150 }] });
});

import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import { type Pack, PACK_QUEUE } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobQueue, queueDepth } from '@fairway/queue';
import { migrate as migrateChanges } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { type FakeWriter, startFakeWriter } from '../../harness/fake-writer.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { recount, sorted, stored } from '../monitor/counts.ts';
import { producer } from '../monitor/queue.ts';
import { baseline, cases, type Child, modelVersion, MODEL, packsOf, startProcess, until } from '../monitor/support.ts';

const PREFIX = 'upgrade_test';
const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };
const REFERENCE = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
let writer: FakeWriter;
let children: Child[];

beforeEach(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
  writer = await startFakeWriter();
  writer.state.references.set(`${MODEL}/1`, REFERENCE);
  children = [];
});
afterEach(async () => {
  for (const child of children) await child.kill();
  await Promise.all([writer.stop(), pool.end()]);
  await database.stop();
});

async function recorder(): Promise<Child> {
  const child = await startProcess('recorder-main.ts', {
    DATABASE_URL: database.url,
    QUEUE_URL: database.url,
    QUEUE_PREFIX: PREFIX,
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
    MONITOR_TOKEN: 'monitor-test-token',
  });
  children.push(child);
  return child;
}

async function add(packs: readonly Pack[]): Promise<void> {
  const queue = producer(database.url, PREFIX);
  await queue.add(packs);
  await queue.close();
}

async function inQueue(): Promise<number> {
  const queue = jobQueue({ url: database.url, prefix: PREFIX, name: PACK_QUEUE, application: 'upgrade-test' });
  // Each question has four seconds, of which the first may want more for its migration.
  const { waiting, active, delayed } = await until('the depth of the queue', 60, () => queueDepth(queue));
  await queue.close();
  return waiting + active + delayed;
}

const count = async (table: string): Promise<number> =>
  (await pool.query<{ n: number }>(`select count(*)::int as n from monitoring.${table}`)).rows[0]?.n ?? 0;
const become = (table: string, n: number) =>
  until(`${n} in ${table}`, 60, async () => ((await count(table)) === n ? true : undefined));

/** The migration of a later release: it adds, and takes nothing away. */
async function migrateFurther(): Promise<number> {
  const { rows } = await pool.query<{ number: number }>(
    'insert into monitoring.migrations (number) select max(number) + 1 from monitoring.migrations returning number',
  );
  for (const table of ['packs', 'pack_frames', 'prediction_rows', 'appended_counts'])
    await pool.query(`alter table monitoring.${table} add column later_release text default 'later'`);
  return rows[0]?.number ?? 0;
}
const comeBack = (number: number) => pool.query('delete from monitoring.migrations where number = $1', [number]);

// What agents of earlier commits really put into their queue, under five calls: of one, two and one instance, one that is no
// JSON, and one that names the version in its address.
describe.each([
  ['the first agent (a797c35)', 'first', '1'],
  ['the first agent with sample and redaction (e9f9fe5)', 'redacted', '0.99'],
  ['the last agent before packs were collected as bytes (c880dfa)', 'before', '1'],
])('packs of %s', (_, name, sampling) => {
  const packs = JSON.parse(readFileSync(new URL(`packs/${name}.json`, import.meta.url), 'utf8')) as readonly Pack[];

  test('are stored once, whole, by the recorder of today', async () => {
    await recorder();
    await add(packs);
    await become('predictions', 5);
    await add(packs);
    await until('an empty queue', 60, async () => ((await inQueue()) === 0 ? true : undefined));
    const { rows } = await pool.query(
      `select p.time, p.score, p.inputs->>'income' as income, p.version_source, p.correlation_id, e.sampling::text
      from monitoring.predictions p join monitoring.exchanges e on e.id = p.exchange order by p.id`,
    );
    const row = (second: number, score: number, income: string, source = 'status') => ({
      time: new Date(`2025-01-01T01:00:0${second}.000Z`),
      score,
      income,
      version_source: source,
      correlation_id: `call-${name}-0${second}`,
      sampling: sampling === '1' ? expect.toBeOneOf([null, '1']) : sampling,
    });
    const four = [row(0, 0.25, '1500'), row(1, 0.25, '2500.5'), row(1, 0.375, '3100'), row(2, 0.25, '900')];
    expect(rows).toEqual([...four, row(4, 0.25, '1200', 'url')]);
    const jobs = await pool.query(
      "select count(*)::int as n from monitoring.predictions where inputs->>'job' in ('Office', 'Sales')",
    );
    expect(jobs.rows).toEqual([{ n: name === 'redacted' ? 0 : 4 }]);
    expect(await count('exchanges')).toBe(5);
    expect(await count('failures')).toBe(1);
    expect([await count('quarantined_packs'), await count('quarantined_exchanges')]).toEqual([0, 0]);
    const account = await pool.query(
      'select captured::int, recorded::int, quarantined::int, unexplained::int from monitoring.account()',
    );
    expect(account.rows).toEqual([{ captured: 5, recorded: 5, quarantined: 0, unexplained: 0 }]);
  });
});

describe('a recorder that is older than the schema', () => {
  test('goes on while it runs, refuses a new start in a sentence, and leaves the packs in the queue', async () => {
    const first = await recorder();
    await add(packsOf(cases(200, 3), PERIOD, 'before', '1', 50));
    await become('predictions', 200);
    const number = await migrateFurther();
    await add(packsOf(cases(200, 4), PERIOD, 'during', '1', 50));
    await become('predictions', 400);
    await first.stop();

    await expect(recorder()).rejects.toThrow(
      `Schema monitoring is at migration ${number}, and this program knows ${number - 1}: a later version has been here. Start that version again; going back needs the backup from before it.`,
    );
    await add(packsOf(cases(200, 5), PERIOD, 'after', '1', 50));
    await expect(recorder()).rejects.toThrow('a later version has been here');
    expect(await inQueue()).toBe(4);
    expect([await count('predictions'), await count('packs'), await count('quarantined_packs')]).toEqual([400, 8, 0]);

    await comeBack(number);
    await recorder();
    await become('predictions', 600);
    await until('an empty queue', 60, async () => ((await inQueue()) === 0 ? true : undefined));
    expect(await count('packs')).toBe(12);
    expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, REFERENCE.baseline)));
  });
});

test('a writer that is older than the schema refuses in a sentence, and touches nothing', async () => {
  await migrateChanges(pool);
  const { rows } = await pool.query<{ number: number }>(
    "insert into changes.migrations (number, name) select max(number) + 1, 'later' from changes.migrations returning number",
  );
  const number = rows[0]?.number ?? 0;
  await expect(migrateChanges(pool)).rejects.toThrow(
    `Schema changes is at migration ${number}, and this program knows ${number - 1}: a later version has been here. Start that version again; going back needs the backup from before it.`,
  );
  await pool.query('delete from changes.migrations where number = $1', [number]);
  // The lock is free again: whoever comes next need not wait.
  await migrateChanges(pool);
});

// A recorder from before the slim rows that still runs does not ask which migration the schema is at: the schema itself holds it off.
test.each([
  [
    'exchanges',
    `insert into monitoring.exchanges (day, id, model, version, environment, time, status, outcome, latency_ms, head, request, response, instances)
     values ('2025-01-01', 'old-1', 'loans', '1', 'prod', now(), 200, 'complete', 1, '{}', '', '', 1)`,
  ],
  [
    'predictions',
    `insert into monitoring.predictions (day, id, exchange, model, version, version_source, environment, time, score, inputs, outputs, latency_ms, status, label)
     values ('2025-01-01', 'old-1-0', 'old-1', 'loans', '1', 'status', 'prod', now(), 0.5, '{}', '{}', 1, 200, -1)`,
  ],
  ['labels', `update monitoring.predictions set label = 1 where id = 'before-1-0'`],
])('what a recorder from before migration 7 writes into %s is refused by the schema', async (_, statement) => {
  const child = await recorder();
  await add(packsOf(cases(50, 3), PERIOD, 'before', '1', 50));
  await become('predictions', 50);
  await child.stop();
  const held = async () =>
    (
      await pool.query(
        'select count(*)::int as rows, count(*) filter (where label >= 0)::int as labelled from monitoring.predictions',
      )
    ).rows;
  const before = await held();
  await expect(pool.query(statement)).rejects.toThrow(/cannot (insert into|update) view "(exchanges|predictions)"/);
  expect(await held()).toEqual(before);
});

test('a pack in a form of later agents waits untouched for a recorder that reads it', async () => {
  const child = await recorder();
  const [later, ...rest] = packsOf(cases(100, 6), PERIOD, 'mixed', '1', 50);
  await add([{ ...(later as Pack), v: 2 } as unknown as Pack, ...rest]);
  await become('predictions', 50);
  await until('the sentence', 60, () =>
    child.log().includes('This recorder reads packs of version 1; start the recorder of the release')
      ? true
      : undefined,
  );
  expect([await count('packs'), await count('quarantined_packs'), await inQueue()]).toEqual([1, 0, 1]);
});

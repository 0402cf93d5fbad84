import type { Pool } from 'pg';
import { type Clock, silentLogger, timedId } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { type DayTables, dayTables } from '../../../packages/monitor/src/store/day-tables.ts';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { first } from '../../../packages/monitor/src/store/migrations/0001-first.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { dropOldDays } from '../../../packages/monitor/src/store/retention.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { recount, sorted, stored } from './counts.ts';
import { baseline, cases, exchange, modelVersion, pack, packsOf } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-22T10:00:00.000Z');
const clock: Clock = { now: () => NOW };

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;

beforeEach(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
});
afterEach(async () => {
  await pool.end();
  await database.stop();
});

const tables = (): DayTables => dayTables(pool, clock, 30, silentLogger);

const record = (days: DayTables | undefined, ids: readonly string[], time: string, first = 0) =>
  recordPack(
    { store: packStore(pool, days?.ensure), references: async () => reference, log: silentLogger },
    pack(
      cases(ids.length, 3).map((row, index) =>
        exchange({ id: ids[index] as string, rows: [row], time }, first + index),
      ),
      first,
    ),
  );

const idOf = (daysAgo: number, hash = 'a'.repeat(20)) => timedId(NOW - daysAgo * DAY_MS, hash);

const places = async (table: string) => {
  const sql = `select tableoid::regclass::text as place, count(*)::int as rows from monitoring.${table} group by 1 order by 1`;
  return (await pool.query<{ place: string; rows: number }>(sql)).rows.map(({ place, rows }) => [place, rows]);
};

describe('days', () => {
  beforeEach(() => migrate(pool));

  test('have partitions ahead, and on demand where a pack needs them; what retention would drop goes into the default', async () => {
    const days = tables();
    await days.ahead();
    await record(days, [idOf(0), idOf(5), idOf(400)], '2026-11-22T10:00:00.000Z');
    // An id that names no moment lies on the day of its business time.
    await record(days, ['by-hand'], '2026-11-10T10:00:00.000Z', 10);
    for (const table of ['pack_frames', 'prediction_rows']) {
      expect(await places(table)).toEqual([
        [`monitoring.${table}_20261110`, 1],
        [`monitoring.${table}_20261117`, 1],
        [`monitoring.${table}_20261122`, 1],
        [`monitoring.${table}_default`, 1],
      ]);
    }
    const made = await pool.query(
      "select count(*)::int as n from pg_inherits where inhparent = 'monitoring.exchange_rows'::regclass",
    );
    // Today and four days ahead, two on demand, the default.
    expect(made.rows).toEqual([{ n: 8 }]);
  });

  test('are made by several recorders at once, and take along what the default partition has of them', async () => {
    await record(undefined, [idOf(1)], '2026-11-21T10:00:00.000Z');
    const several = [tables(), tables(), tables()];
    const ids = Array.from({ length: 12 }, (_, index) =>
      idOf(index % 3, String(index).padStart(2, '0').padEnd(20, '0')),
    );
    await Promise.all(ids.map((id, index) => record(several[index % 3], [id], '2026-11-22T10:00:00.000Z', 10 + index)));
    // On a busy machine one may have given up waiting for another.
    for (const each of several) await each.ahead();
    const found = await places('prediction_rows');
    expect(found.reduce((sum, [, rows]) => sum + Number(rows), 0)).toBe(13);
    expect(found.map(([place]) => place)).toEqual([
      'monitoring.prediction_rows_20261120',
      'monitoring.prediction_rows_20261121',
      'monitoring.prediction_rows_20261122',
    ]);
  });

  test('wait for nobody: while somebody reads all of them, rows go into the default, and move when the day is made', async () => {
    const reader = await pool.connect();
    await reader.query('begin');
    await reader.query('select count(*) from monitoring.predictions');
    const days = tables();
    expect(await record(days, [idOf(2)], '2026-11-20T10:00:00.000Z')).toMatchObject({ outcome: 'stored' });
    expect(await places('prediction_rows')).toEqual([['monitoring.prediction_rows_default', 1]]);
    await reader.query('commit');
    reader.release();
    await days.ahead();
    expect(await places('prediction_rows')).toEqual([['monitoring.prediction_rows_20261120', 1]]);
  });

  test('go after retention, with the ledger of epochs that are over; counts stay', async () => {
    const days = tables();
    await record(days, [idOf(0), idOf(20), idOf(400)], '2026-11-22T10:00:00.000Z');
    expect(await dropOldDays(pool, NOW, 10)).toBe(false);
    expect((await places('pack_frames')).map(([place]) => place)).toEqual(['monitoring.pack_frames_20261122']);
    expect((await places('prediction_rows')).map(([place]) => place)).toEqual(['monitoring.prediction_rows_20261122']);
    expect((await pool.query('select 1 from monitoring.packs')).rowCount).toBe(1);
    await pool.query(`update monitoring.packs set recorded_at = '2026-10-01'`);
    await dropOldDays(pool, NOW, 10);
    expect((await pool.query('select 1 from monitoring.packs')).rowCount).toBe(0);
    const counts = await pool.query('select sum(count)::int as n from monitoring.all_score_counts');
    expect(counts.rows).toEqual([{ n: 3 }]);
  });
});

test('counts are the same before, while and after they are folded, by several at once', async () => {
  await migrate(pool);
  const period = { start: '2026-11-22T00:00:00.000Z', end: '2026-11-22T06:00:00.000Z' };
  const needs = { store: packStore(pool), references: async () => reference, log: silentLogger };
  const [some, more] = [packsOf(cases(500, 4), period, 'f', '1', 100), packsOf(cases(500, 5), period, 'g', '1', 100)];
  for (const each of some) await recordPack(needs, each);
  const before = sorted(await stored(pool));
  expect(before).toEqual(sorted(await recount(pool, reference.baseline)));
  const [one, two] = await Promise.all([
    foldCounts(pool),
    foldCounts(pool),
    ...more.map((each) => recordPack(needs, each)),
  ]);
  expect(one + two).toBeGreaterThan(0);
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, reference.baseline)));
  while ((await foldCounts(pool)) > 0);
  expect((await pool.query('select 1 from monitoring.appended_counts')).rowCount).toBe(0);
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, reference.baseline)));
});

test('what was stored before there were days is kept, on the day of its id', async () => {
  await pool.query('create schema monitoring');
  await pool.query(
    'create table monitoring.migrations (number integer primary key, applied_at timestamptz not null default now())',
  );
  await pool.query(first);
  await pool.query('insert into monitoring.migrations (number) values (1)');
  for (const [id, time] of [
    [idOf(3), '2025-03-01T10:00:00Z'],
    ['by-hand', '2025-03-01T23:30:00-02:00'],
  ]) {
    await pool.query(
      `insert into monitoring.exchanges values ($1, 'm', '1', 'prod', $2, 200, 'complete', 1, null, '\\x00ff', '\\x01', '{"v":1}', 1, null)`,
      [id, time],
    );
    await pool.query(
      `insert into monitoring.predictions values ($1 || '-0', $1, 'm', '1', 'url', 'prod', $2, 0.5, '{"a": 1}', '{"p": 0.5}', 1, 200, null, 1, null)`,
      [id, time],
    );
  }
  await Promise.all([migrate(pool), migrate(pool)]);
  const { rows } = await pool.query(
    `select p.day::text, p.inputs, monitoring.input_cell(p.inputs, 'a') as a, e.request, p.label
     from monitoring.predictions p join monitoring.exchanges e on e.day = p.day and e.id = p.exchange order by p.day`,
  );
  const same = { inputs: { a: 1 }, a: '1', request: Buffer.from([0, 0xff]), label: 1 };
  expect(rows).toEqual([
    { day: '2025-03-02', ...same },
    { day: '2026-11-19', ...same },
  ]);
});

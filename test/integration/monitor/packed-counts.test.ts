import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { BELOW_BIN, silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { periodAt } from '../../../packages/monitor/src/app/periods.ts';
import { type HourReport, rebuild } from '../../../packages/monitor/src/app/rebuild.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import type { WindowCounts } from '../../../packages/monitor/src/ports.ts';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { judgeStore } from '../../../packages/monitor/src/store/judge-store.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packCounts } from '../../../packages/monitor/src/store/pack-counts.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { rebuildStore } from '../../../packages/monitor/src/store/rebuild-store.ts';
import { empty, type Monitoring, startMonitoring } from './database.ts';
import { baseline, cases, modelVersion, MODEL, packsOf } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const references = async () => reference;
/** Over the end of a day, of a month and of a year. */
const PERIOD = { start: '2024-12-31T21:00:00.000Z', end: '2025-01-01T03:00:00.000Z' };
const WINDOWS = [
  periodAt('hour', '2024-12-31T22:00:00.000Z'),
  periodAt('hour', '2025-01-01T00:00:00.000Z'),
  periodAt('day', '2024-12-31T00:00:00.000Z'),
  periodAt('day', '2025-01-01T00:00:00.000Z'),
  periodAt('week', '2024-12-30T00:00:00.000Z'),
  periodAt('month', '2025-01-01T00:00:00.000Z'),
  periodAt('quarter', '2024-10-01T00:00:00.000Z'),
];
const OF = { model: MODEL, version: '1', environment: 'prod' };

let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  // Days and months must not slip where the database thinks in a local time with daylight saving.
  database = await startMonitoring({ options: '-c TimeZone=America/New_York' });
  ({ pool } = database);
});
afterAll(() => database.stop());
beforeEach(() => empty(pool));

const record = (pack: Parameters<typeof recordPack>[1]) =>
  recordPack({ store: packStore(pool), references, log: silentLogger }, pack);

async function packAll(): Promise<void> {
  while ((await foldCounts(pool)) > 0);
  do await pool.query('update monitoring.unpacked_counts set due = now()');
  while ((await packCounts(pool)) > 0);
}

const spans = async () =>
  (
    await pool.query<{ span: string; n: number }>(
      'select span, count(*)::int as n from monitoring.packed_counts group by 1 order by 1',
    )
  ).rows.map(({ span, n }) => `${n} ${span}`);

/** A window's counts as plain sums of what is counted, past every packed row. */
async function plain({ start, end }: { start: string; end: string }): Promise<WindowCounts> {
  const values = [MODEL, start, end];
  const profile = await pool.query<{ variable: string; bin: number; count: number }>(
    `select variable, bin, sum(count)::float8 as count from monitoring.all_profile_counts where model = $1 and hour >= $2 and hour < $3
     group by 1, 2 having sum(count) <> 0 or bin = ${BELOW_BIN} order by variable, bin`,
    values,
  );
  const scores = await pool.query<{ cells: [number, number, number, number] }>(
    `select array[bin, coalesce(sum(count) filter (where label = -1), 0), coalesce(sum(count) filter (where label = 0), 0),
       coalesce(sum(count) filter (where label = 1), 0)]::float8[] as cells
     from monitoring.all_score_counts where model = $1 and hour >= $2 and hour < $3 group by bin having sum(count) <> 0 order by bin`,
    values,
  );
  const variables: Record<string, Array<[number, number]>> = {};
  for (const { variable, bin, count } of profile.rows) (variables[variable] ??= []).push([bin, count]);
  return { variables, scores: scores.rows.map(({ cells }) => cells) };
}

async function expectEveryWindow(): Promise<void> {
  for (const window of WINDOWS) {
    expect(await judgeStore(pool).counts({ ...OF, ...window }), window.period).toEqual(await plain(window));
  }
}

async function rebuilt(verify: boolean): Promise<HourReport[]> {
  const reports: HourReport[] = [];
  const asked = { model: MODEL, from: '2024-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z', verify };
  await rebuild({ store: rebuildStore(pool), references }, asked, (report) => reports.push(report));
  return reports.filter(({ differences }) => differences.length > 0);
}

test('a window is the sum of its counts after any sequence of packs, labels, folds, packing and changes by hand', async () => {
  const packs = packsOf(cases(60, 23), PERIOD, 'p', '1', 10);
  const label = fc.record({ id: fc.nat(69).map((n) => `p-${n}-0`), label: fc.constantFrom(0 as const, 1 as const) });
  const step = fc.oneof(
    fc.record({ pack: fc.nat(packs.length - 1) }),
    fc.record({ labels: fc.array(label, { maxLength: 12 }) }),
    fc.record({ change: fc.constantFrom('profile', 'score'), by: fc.constantFrom('count + 3', 'count * 2') }),
    fc.constantFrom('fold' as const, 'pack' as const, 'drop' as const),
  );
  const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
    await empty(pool);
    for (const one of steps) {
      if (one === 'fold') await foldCounts(pool);
      else if (one === 'pack') await packAll();
      else if (one === 'drop') await pool.query("delete from monitoring.score_counts where hour = '2024-12-31 22:00Z'");
      else if ('pack' in one) await record(packs[one.pack] as (typeof packs)[0]);
      else if ('labels' in one) await addLabels(labelStore(pool), one.labels, []);
      else await pool.query(`update monitoring.${one.change}_counts set count = ${one.by} where bin % 2 = 1`);
    }
    await expectEveryWindow();
    await packAll();
    await expectEveryWindow();
  });
  await fc.assert(property, { numRuns: 20, seed: 8 });
});

test('hours, days and months are packed when they have ended; a late label unpacks its own, and waits a minute', async () => {
  for (const pack of packsOf(cases(60, 24), PERIOD, 'p')) await record(pack);
  await packAll();
  expect(await spans()).toEqual(['2 day', '6 hour', '2 month']);
  await addLabels(labelStore(pool), [{ id: 'p-0-0', label: 1 }], []);
  expect(await spans()).toEqual(['2 day', '6 hour', '2 month']);
  while ((await foldCounts(pool)) > 0);
  expect(await spans()).toEqual(['1 day', '5 hour', '1 month']);
  expect(await packCounts(pool)).toBe(0);
  await expectEveryWindow();
  await packAll();
  expect(await spans()).toEqual(['2 day', '6 hour', '2 month']);
  await expectEveryWindow();
});

test('what has not ended is not packed', async () => {
  const now = Date.now();
  await pool.query(
    `insert into monitoring.score_counts values ($1, '1', 'prod', date_trunc('hour', now(), 'UTC') + interval '2 hours', 5, 0, 1)`,
    [MODEL],
  );
  expect(await packCounts(pool)).toBe(0);
  const { rows } = await pool.query<{ due: Date }>('select due from monitoring.unpacked_counts');
  expect(rows[0]?.due.getTime()).toBeGreaterThan(now);
});

test('a rebuild finds a packed row that is not the sum of its counts, and has it made again', async () => {
  for (const pack of packsOf(cases(60, 25), PERIOD, 'p')) await record(pack);
  await packAll();
  expect(await rebuilt(true)).toEqual([]);
  for (const span of ['hour', 'day', 'month']) {
    await pool.query(
      `update monitoring.packed_counts set body = '{"variables":{},"scores":[[7,9,0,0]]}' where span = $1 and start = (
         select min(start) from monitoring.packed_counts where span = $1)`,
      [span],
    );
    const found = await rebuilt(true);
    expect(found.map(({ differences }) => differences)).toEqual([
      [{ packed: span, stored: 9, rows: expect.any(Number) }],
    ]);
    expect((await rebuilt(false)).map(({ mended }) => mended)).toEqual([true]);
    await expectEveryWindow();
    await packAll();
    expect(await rebuilt(true)).toEqual([]);
    await expectEveryWindow();
  }
});

test('earlier windows are found from one to the next, folded or not, without those that hold nothing', async () => {
  const store = judgeStore(pool);
  for (const pack of packsOf(cases(60, 26), PERIOD, 'p')) await record(pack);
  const window = { ...OF, ...periodAt('hour', '2025-01-01T01:00:00.000Z') };
  const hours = ['2025-01-01T00', '2024-12-31T23', '2024-12-31T22'].map((hour) => `${hour}:00:00.000Z`);
  expect(await store.earlierStarts(window, 'hour', 3)).toEqual(hours);
  while ((await foldCounts(pool)) > 0);
  expect(await store.earlierStarts(window, 'hour', 3)).toEqual(hours);
  expect(await store.earlierStarts(window, 'day', 3)).toEqual(['2025-01-01T00:00:00.000Z', '2024-12-31T00:00:00.000Z']);
  await pool.query("update monitoring.score_counts set count = 0 where hour = '2024-12-31 23:00Z'");
  expect(await store.earlierStarts(window, 'hour', 2)).toEqual([hours[0], hours[2]]);
});

test('the first windows are found from the oldest on, folded or not, up to the one that is asked about', async () => {
  const store = judgeStore(pool);
  for (const pack of packsOf(cases(60, 26), PERIOD, 'p')) await record(pack);
  const upTo = (start: string, every: 'hour' | 'day', limit: number) =>
    store.firstStarts({ ...OF, ...periodAt(every, start) }, every, limit);
  const hours = ['2024-12-31T21', '2024-12-31T22', '2024-12-31T23', '2025-01-01T00'].map(
    (hour) => `${hour}:00:00.000Z`,
  );
  for (const fold of [false, true]) {
    if (fold) while ((await foldCounts(pool)) > 0);
    expect(await upTo(hours[3] ?? '', 'hour', 9)).toEqual(hours);
    expect(await upTo(hours[3] ?? '', 'hour', 2)).toEqual(hours.slice(0, 2));
    expect(await upTo(hours[0] ?? '', 'hour', 9)).toEqual(hours.slice(0, 1));
    expect(await upTo('2025-01-01T00:00:00.000Z', 'day', 9)).toEqual([
      '2024-12-31T00:00:00.000Z',
      '2025-01-01T00:00:00.000Z',
    ]);
  }
  await pool.query("update monitoring.score_counts set count = 0 where hour = '2024-12-31 21:00Z'");
  expect(await upTo(hours[3] ?? '', 'hour', 9)).toEqual(hours.slice(1));
});

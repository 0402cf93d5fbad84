import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { iso, silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { type HourReport, rebuild, rebuildBounds } from '../../../packages/monitor/src/app/rebuild.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { rebuildStore } from '../../../packages/monitor/src/store/rebuild-store.ts';
import { empty, type Monitoring, startMonitoring } from './database.ts';
import { recount, sorted, spoil, stored } from './counts.ts';
import { baseline, cases, modelVersion, MODEL, packsOf } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const references = async () => reference;
const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };

let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(() => database.stop());
beforeEach(() => empty(pool));

const record = (pack: Parameters<typeof recordPack>[1]) =>
  recordPack({ store: packStore(pool), references, log: silentLogger }, pack);

async function run(verify: boolean): Promise<HourReport[]> {
  const reports: HourReport[] = [];
  const asked = { model: MODEL, from: '2024-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z', verify };
  await rebuild({ store: rebuildStore(pool), references }, asked, (report) => reports.push(report));
  return reports;
}

const differences = (reports: readonly HourReport[]) => reports.flatMap((report) => report.differences);

const expectExact = async () =>
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, reference.baseline)));

test('counts equal the rows after any sequence of packs, repeated packs and labels, and any damage is found and mended', async () => {
  const packs = packsOf(cases(60, 13), PERIOD, 'p', '1', 10);
  const label = fc.record({
    id: fc.nat(69).map((n) => `p-${n}-0`),
    label: fc.constantFrom(0 as const, 1 as const),
  });
  const step = fc.oneof(
    fc.record({ pack: fc.nat(packs.length - 1) }),
    fc.record({ labels: fc.array(label, { maxLength: 12 }) }),
    fc.constant({ fold: true as const }),
  );
  const damage = fc.record({
    table: fc.constantFrom('profile_counts', 'score_counts', 'appended_counts'),
    row: fc.nat(),
    by: fc.constantFrom('delete', 'more', 'twice'),
  });
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 12 }),
    fc.array(damage, { maxLength: 4 }),
    async (steps, damages) => {
      await empty(pool);
      for (const one of steps) {
        if ('pack' in one) await record(packs[one.pack] as (typeof packs)[0]);
        else if ('labels' in one) await addLabels(labelStore(pool), one.labels, []);
        else await foldCounts(pool);
      }
      expect(differences(await run(true))).toEqual([]);
      for (const one of damages) await damageTo(one);
      const isSpoilt =
        JSON.stringify(sorted(await stored(pool))) !== JSON.stringify(sorted(await recount(pool, reference.baseline)));
      const found = differences(await run(true));
      if (isSpoilt) expect(found.length).toBeGreaterThan(0);
      await run(false);
      await expectExact();
      expect(differences(await run(true))).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: 12, seed: 6 });
});

async function damageTo({ table, row, by }: { table: string; row: number; by: string }): Promise<void> {
  const { rows } = await pool.query<{ place: string }>(`select ctid::text as place from monitoring.${table}`);
  const at = rows[row % Math.max(1, rows.length)]?.place;
  if (at === undefined) return;
  if (by === 'delete') await pool.query(`delete from monitoring.${table} where ctid = $1::tid`, [at]);
  else if (table === 'appended_counts') {
    const add = by === 'more' ? 7 : 'score_counts[1]';
    await pool.query(`update monitoring.${table} set score_counts[1] = score_counts[1] + ${add} where ctid = $1::tid`, [
      at,
    ]);
  } else {
    const count = by === 'more' ? 'count + 7' : 'count * 2';
    await pool.query(`update monitoring.${table} set count = ${count} where ctid = $1::tid`, [at]);
  }
}

describe('a rebuild', () => {
  test('mends while packs and labels arrive and counts are folded', async () => {
    const rows = cases(600, 14);
    const packs = packsOf(rows, PERIOD, 'r', '1', 20);
    for (const pack of packs.slice(0, 10)) await record(pack);
    await spoil(pool, 'profile', '1000', "variable = 'income'");
    await spoil(pool, 'score', '-count', 'bin < 5000');
    const labels = rows.map((row, index) => ({ id: `r-${index}-0`, label: row.label }));
    await Promise.all([
      run(false),
      (async () => {
        for (const pack of packs.slice(10)) await record(pack);
      })(),
      (async () => {
        for (let at = 0; at < labels.length; at += 50) {
          await addLabels(labelStore(pool), labels.slice(at, at + 50), []);
          await foldCounts(pool);
        }
      })(),
    ]);
    expect(differences(await run(true))).toEqual([]);
    await expectExact();
  });

  test('tells the monitor of the hours that it mended, and of no other', async () => {
    for (const pack of packsOf(cases(60, 15), PERIOD, 'm')) await record(pack);
    await pool.query('delete from monitoring.dirty_hours');
    await run(false);
    expect((await pool.query('select 1 from monitoring.dirty_hours')).rowCount).toBe(0);
    await spoil(pool, 'profile', '1', "hour = '2025-01-01 02:00Z' and variable = 'income' and bin = 3");
    const mended = (await run(false)).filter(({ mended: isMended }) => isMended);
    expect(mended.map(({ hour }) => hour)).toEqual(['2025-01-01T02:00:00.000Z']);
    expect(mended[0]?.differences).toMatchObject([{ variable: 'income', bin: 3 }]);
    const { rows } = await pool.query<{ hour: Date }>('select hour from monitoring.dirty_hours');
    expect(rows.map(({ hour }) => iso(hour.getTime()))).toEqual(['2025-01-01T02:00:00.000Z']);
  });

  test('fills the counts of versions that were recorded before their baseline was known', async () => {
    const needs = { store: packStore(pool), references: async () => undefined, log: silentLogger };
    for (const pack of packsOf(cases(60, 16), PERIOD, 'u')) await recordPack(needs, pack);
    await run(false);
    const { rows } = await pool.query<{ rows: number }>(
      "select sum(count)::int as rows from monitoring.all_profile_counts where variable = 'income' and bin >= -2",
    );
    expect(rows).toEqual([{ rows: 60 }]);
  });

  test('keeps counts whose rows are gone, and says so', async () => {
    for (const pack of packsOf(cases(30, 17), PERIOD, 'g')) await record(pack);
    const before = sorted(await stored(pool));
    await pool.query("delete from monitoring.prediction_rows where time < '2025-01-01 01:00Z'");
    const kept = (await run(false)).filter((report) => report.kept !== undefined);
    expect(kept).toMatchObject([{ hour: PERIOD.start, rows: 0, kept: expect.stringContaining('retention') }]);
    expect(sorted(await stored(pool))).toEqual(before);
  });

  test('is one at a time', async () => {
    await rebuildStore(pool).alone(async () => {
      await expect(run(true)).rejects.toThrow('Another rebuild');
    });
    expect(await run(true)).toEqual([]);
  });

  test('stays within what retention keeps', () => {
    const at = { oldest: '2025-06-01T00:00:00.000Z', now: '2026-06-01T00:00:00.000Z' };
    expect(rebuildBounds({ from: undefined, to: '2025-07-01' }, at)).toEqual({
      from: '2025-06-01T00:00:00.000Z',
      to: '2025-07-01T00:00:00.000Z',
    });
    expect(() => rebuildBounds({ from: '2025-05-31', to: undefined }, at)).toThrow('RETENTION_DAYS');
    expect(() => rebuildBounds({ from: 'soon', to: undefined }, at)).toThrow('from must be a day');
    expect(() => rebuildBounds({ from: '2025-07-01', to: '2025-07-01' }, at)).toThrow('must be before');
  });
});

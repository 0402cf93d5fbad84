import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { type Baseline, type ModelVersion, silentLogger, systemClock, variableBaseline } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { rebuild } from '../../../packages/monitor/src/app/rebuild.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { sasColumns } from '../../../packages/monitor/src/app/sas-names.ts';
import { regressionSums } from '../../../packages/monitor/src/metrics/sums.ts';
import { metricOf } from '../../../packages/monitor/src/metrics/registry.ts';
import { snapshotFiles } from '../../../packages/monitor/src/snapshot/files.ts';
import { snapshotQuery } from '../../../packages/monitor/src/snapshot/query.ts';
import { dashboardStore } from '../../../packages/monitor/src/store/dashboard-store.ts';
import { readSnapshot } from '../../../packages/monitor/src/store/database.ts';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packCounts } from '../../../packages/monitor/src/store/pack-counts.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { rebuildStore } from '../../../packages/monitor/src/store/rebuild-store.ts';
import { referenceStore } from '../../../packages/monitor/src/store/reference-store.ts';
import { sasTables } from '../../../packages/monitor/src/store/sas-tables.ts';
import { windowCounts } from '../../../packages/monitor/src/store/window-counts.ts';
import { empty, type Monitoring, startMonitoring } from './database.ts';
import { spoil } from './counts.ts';
import { baseline, type Case, cases, modelVersion, MODEL, packsOf } from './support.ts';

const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };
const WINDOW = {
  model: MODEL,
  version: '1',
  environment: 'prod',
  start: PERIOD.start,
  end: '2025-02-01T00:00:00.000Z',
};

/** Prices in quarters: sums of their doubles are exact, so they can be added up without any care. */
const rows: Case[] = cases(60, 31).map((one, index) => ({ ...one, score: (index - 20) * 12.25 }));
const version: ModelVersion = {
  ...modelVersion('1'),
  target: { variable: 'price', level: 'interval', event: '', probability: 'p_event' },
};
const prediction = variableBaseline(
  'p_event',
  'numeric',
  rows.map(({ score }) => score),
) as NonNullable<Baseline['regression']>['prediction'];
const reference = {
  modelVersion: version,
  baseline: {
    ...baseline('1', cases(500, 30)),
    segments: ['job', 'income'],
    regression: { prediction, performance: { rows: 0, mae: 0, rmse: 0, rSquared: 0 } },
  },
};
const references = async () => reference;

const snapshots = mkdtempSync(join(tmpdir(), 'fairway-numbers-'));
let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(async () => {
  await database.stop();
  rmSync(snapshots, { recursive: true, force: true });
});
beforeEach(() => reset());

async function reset(): Promise<void> {
  await empty(pool);
  await referenceStore(pool).keepReference(reference);
}

const record = (pack: Parameters<typeof recordPack>[1]) =>
  recordPack({ store: packStore(pool), references, log: silentLogger }, pack);

async function differences(): Promise<unknown[]> {
  const found: unknown[] = [];
  const asked = { model: MODEL, from: '2024-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z', verify: true };
  await rebuild({ store: rebuildStore(pool), references }, asked, (report) => found.push(...report.differences));
  return found;
}

type Sums = { n: number; sumY: number; sumYY: number; sumAbsoluteError: number; sumSquaredError: number };

/** Of the stored rows, in plain doubles. */
async function sumsOfRows(): Promise<Sums | undefined> {
  const { rows: labelled } = await pool.query<{ score: number; truth: number }>(
    'select score, truth from monitoring.predictions where truth is not null',
  );
  if (labelled.length === 0) return undefined;
  const sum = (of: (score: number, y: number) => number) =>
    labelled.reduce((all, row) => all + of(row.score, row.truth), 0);
  return {
    n: labelled.length,
    sumY: sum((_, y) => y),
    sumYY: sum((_, y) => y * y),
    sumAbsoluteError: sum((p, y) => Math.abs(p - y)),
    sumSquaredError: sum((p, y) => (p - y) ** 2),
  };
}

test('sums of a window equal its rows after any sequence of packs, repeated packs, early, late, corrected and repeated labels', async () => {
  const packs = packsOf(rows, PERIOD, 'p', '1', 10);
  const label = fc.record({
    id: fc.nat(69).map((n) => `p-${n}-0`),
    label: fc.integer({ min: -4000, max: 4000 }).map((quarters) => quarters / 4),
  });
  const step = fc.oneof(
    fc.record({ pack: fc.nat(packs.length - 1) }),
    fc.record({ labels: fc.array(label, { maxLength: 12 }) }),
    fc.constantFrom('fold' as const, 'pack' as const),
  );
  const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
    await reset();
    for (const one of steps) {
      if (one === 'fold') await foldCounts(pool);
      else if (one === 'pack') await packCounts(pool);
      else if ('pack' in one) await record(packs[one.pack] as (typeof packs)[0]);
      else expect((await addLabels(labelStore(pool), one.labels, [])).refused).toEqual([]);
    }
    const wanted = await sumsOfRows();
    expect(regressionSums((await windowCounts(pool, WINDOW)).sums)).toEqual(wanted);
    while ((await foldCounts(pool)) > 0);
    while ((await packCounts(pool)) > 0);
    expect(regressionSums((await windowCounts(pool, WINDOW)).sums)).toEqual(wanted);
    expect(await differences()).toEqual([]);
  });
  await fc.assert(property, { numRuns: 12, seed: 9 });
});

test('numbers of every size leave nothing behind when they are corrected, and a spoilt sum is found', async () => {
  for (const pack of packsOf(rows, PERIOD, 'p')) await record(pack);
  const wild = [1e50, -1e50, 1e-90, 0.1, -0, 123_456.789, 2 ** -40, 1 / 3];
  const given = (by: number) =>
    rows.map((_, index) => ({ id: `p-${index}-0`, label: wild[(index + by) % wild.length] as number }));
  await addLabels(labelStore(pool), given(0), []);
  const first = (await windowCounts(pool, WINDOW)).sums;
  expect((await addLabels(labelStore(pool), given(3), [])).corrected).toBe(60);
  expect(await differences()).toEqual([]);
  await addLabels(labelStore(pool), given(0), []);
  expect((await windowCounts(pool, WINDOW)).sums).toEqual(first);
  await spoil(
    pool,
    'score',
    '1',
    'label = -5 and (hour, bin) = (select hour, bin from monitoring.score_deltas where label = -5 limit 1)',
  );
  expect(await differences()).toHaveLength(1);
});

test('three predictions of a number, worked by hand: MAE, RMSE, R2 and the shift of the predictions', async () => {
  const three = [10, 20, 30].map((score, index) => ({ ...(rows[index] as Case), score }));
  for (const pack of packsOf(three, PERIOD, 't')) await record(pack);
  // Errors -2, 1, 4; the true values 12, 19, 26 lie 7, 0, 7 from their mean.
  const labels = [12, 19, 26].map((label, index) => ({ id: `t-${index}-0`, label }));
  expect(await addLabels(labelStore(pool), labels, [])).toMatchObject({ joined: 3, refused: [] });
  const counts = await windowCounts(pool, WINDOW);
  const value = (name: Parameters<typeof metricOf>[0]) =>
    metricOf(name).evaluate(counts, reference.baseline, '')?.value;
  expect(value('mae')).toBe(7 / 3);
  expect(value('rmse')).toBe(Math.sqrt(7));
  expect(value('rSquared')).toBeCloseTo(1 - 21 / 98, 12);
  expect(value('eventRate')).toBeUndefined();
  expect(counts.scores).toEqual([[-1, 0, 3, 0]]);
  expect(await dashboardStore(pool).totals()).toEqual({ predictions: 3, labelled: 3 });
  expect(counts.variables['p_event']?.reduce((sum, [bin, count]) => sum + (bin >= 0 ? count : 0), 0)).toBe(3);
});

test('SAS tables and snapshots hold the true values', async () => {
  for (const pack of packsOf(rows.slice(0, 3), PERIOD, 's')) await record(pack);
  const labels = [-1.5, 1, 1e6].map((label, index) => ({ id: `s-${index}-0`, label }));
  await addLabels(labelStore(pool), labels, []);
  const table = { ...WINDOW, period: '2025-01', name: 'N_1_202501', sequence: 1 };
  await sasTables(pool, 'sas_numbers').make(table, sasColumns(version));
  const { rows: made } = await pool.query('select price, p_event from sas_numbers."N_1_202501" order by p_event');
  expect(made).toEqual([
    { price: -1.5, p_event: -245 },
    { price: 1, p_event: -232.75 },
    { price: 1e6, p_event: -220.5 },
  ]);
  const { rows: snapshot } = await pool.query(snapshotQuery(WINDOW, version));
  expect(snapshot.map(({ price }) => price)).toEqual([-1.5, 1, 1e6]);
  // A true value of 1 is no event.
  const taken = await snapshotFiles(readSnapshot(pool), snapshots, systemClock).take(WINDOW, version);
  expect(taken).toMatchObject({ rows: 3, labels: 3, events: 0 });
});

test('a class that waited stays a class: a number that waits for a model of 0 and 1 joins nothing', async () => {
  const binary = { modelVersion: { ...modelVersion('2') }, baseline: baseline('2', cases(500, 30)) };
  await referenceStore(pool).keepReference(binary);
  expect(
    await addLabels(
      labelStore(pool),
      [
        { id: 'b-0-0', label: 7 },
        { id: 'b-1-0', label: 1 },
      ],
      [],
    ),
  ).toMatchObject({ early: 2 });
  for (const pack of packsOf(cases(2, 5), PERIOD, 'b', '2'))
    await recordPack({ store: packStore(pool), references: async () => binary, log: silentLogger }, pack);
  const { rows: found } = await pool.query('select id, truth from monitoring.predictions order by id');
  expect(found).toEqual([
    { id: 'b-0-0', truth: null },
    { id: 'b-1-0', truth: 1 },
  ]);
  expect((await addLabels(labelStore(pool), [{ id: 'b-0-0', label: 7 }], [])).refused).toEqual([
    { id: 'b-0-0', reason: 'label must be 0 or 1' },
  ]);
});

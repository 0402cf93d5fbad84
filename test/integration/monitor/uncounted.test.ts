import type { Pool } from 'pg';
import { type Baseline, silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { windowJudge } from '../../../packages/monitor/src/app/judge-windows.ts';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { rebuild } from '../../../packages/monitor/src/app/rebuild.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { recountHour } from '../../../packages/monitor/src/app/recount.ts';
import type { References } from '../../../packages/monitor/src/app/references.ts';
import { segmentInputs, segmentsOf } from '../../../packages/monitor/src/metrics/segment-counts.ts';
import { parsePolicy } from '../../../packages/monitor/src/policy/parse.ts';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { judgeStore } from '../../../packages/monitor/src/store/judge-store.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { hoursOfBefore } from '../../../packages/monitor/src/store/migrations/0014-hours-of-before.ts';
import { packCounts } from '../../../packages/monitor/src/store/pack-counts.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { rebuildStore } from '../../../packages/monitor/src/store/rebuild-store.ts';
import { referenceStore } from '../../../packages/monitor/src/store/reference-store.ts';
import { nextUncounted } from '../../../packages/monitor/src/store/uncounted-hours.ts';
import { windowCounts } from '../../../packages/monitor/src/store/window-counts.ts';
import { empty, type Monitoring, startMonitoring } from './database.ts';
import { baseline, cases, modelVersion, MODEL, packsOf } from './support.ts';

const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };
const WINDOW = {
  model: MODEL,
  version: '1',
  environment: 'prod',
  start: PERIOD.start,
  end: '2025-02-01T00:00:00.000Z',
};
const reference = {
  modelVersion: modelVersion('1'),
  baseline: { ...baseline('1', cases(500, 30)), segments: ['job', 'income'] } as Baseline,
};
const KNOWN: References = async () => reference;
const UNKNOWN: References = async () => undefined;
const ROWS = cases(120, 21);
const LABELS = ROWS.map((row, index) => ({ id: `u-${index}-0`, label: row.label }));

let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(() => database.stop());
beforeEach(() => empty(pool));

const record = async (references: References, packs: Array<Parameters<typeof recordPack>[1]>) => {
  for (const pack of packs) await recordPack({ store: packStore(pool), references, log: silentLogger }, pack);
};
const label = (labels: Parameters<typeof addLabels>[1]) => addLabels(labelStore(pool), labels, []);
const recount = () =>
  recountHour({ store: rebuildStore(pool), references: KNOWN, next: () => nextUncounted(pool), log: silentLogger });
const marks = async () => (await pool.query('select from monitoring.uncounted_hours')).rowCount;

async function differences(): Promise<unknown[]> {
  const found: unknown[] = [];
  const asked = { model: MODEL, from: '2024-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z', verify: true };
  await rebuild({ store: rebuildStore(pool), references: KNOWN }, asked, (report) => found.push(...report.differences));
  return found;
}

/** Rows by segment and label; none of them may be below zero. */
async function bySegment(): Promise<{ readonly least: number; readonly labelled: number; readonly scored: number }> {
  const { segments } = segmentsOf(await windowCounts(pool, WINDOW), segmentInputs(reference.baseline), [0]);
  const cells = segments.flatMap(({ counts }) => counts.scores);
  return {
    least: Math.min(0, ...cells.flatMap(([, ...counts]) => counts)),
    labelled: cells.reduce((sum, [, , nonEvents, events]) => sum + nonEvents + events, 0),
    scored: cells.reduce((sum, [bin, ...counts]) => (bin < 0 ? sum : sum + counts.reduce((a, b) => a + b, 0)), 0),
  };
}

test('predictions of before their version was known are counted as soon as it is, and labels find what they move', async () => {
  await record(UNKNOWN, packsOf(ROWS, PERIOD, 'u'));
  expect(await marks()).toBe(6);
  // Nobody knows the version yet: there is nothing to count by.
  expect(await recount()).toBe(false);
  await referenceStore(pool).keepReference(reference);
  while (await recount());
  expect(await marks()).toBe(0);
  expect(await differences()).toEqual([]);
  await label(LABELS);
  expect(await bySegment()).toEqual({ least: 0, labelled: 120, scored: 120 });
  const corrected = LABELS.slice(0, 30).map(({ id, label: before }) => ({ id, label: 1 - before }));
  await label(corrected);
  expect(await bySegment()).toEqual({ least: 0, labelled: 120, scored: 120 });
  expect(await differences()).toEqual([]);
});

test('labels that come before the hour is counted again, and while it is, are counted once', async () => {
  await record(UNKNOWN, packsOf(ROWS, PERIOD, 'u'));
  await referenceStore(pool).keepReference(reference);
  await label(LABELS.slice(0, 40));
  const later = (async () => {
    for (let at = 40; at < LABELS.length; at += 8) await label(LABELS.slice(at, at + 8));
  })();
  while (await recount());
  await later;
  while ((await foldCounts(pool)) > 0);
  while ((await packCounts(pool)) > 0);
  expect(await bySegment()).toEqual({ least: 0, labelled: 120, scored: 120 });
  expect(await differences()).toEqual([]);
});

test('a pack that comes without a reference while its hour is counted marks it again', async () => {
  const packs = packsOf(ROWS, { start: PERIOD.start, end: '2025-01-01T01:00:00.000Z' }, 'u', '1', 4);
  await record(UNKNOWN, packs.slice(0, 2));
  await referenceStore(pool).keepReference(reference);
  const store = rebuildStore(pool);
  await store.alone(async (session) => {
    const asked = { model: MODEL, from: '2024-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' };
    const [hour] = await session.hours(asked);
    expect(hour).toMatchObject({ isUncounted: true });
    if (hour !== undefined) await session.settle(hour, () => record(UNKNOWN, packs.slice(2)));
  });
  expect(await marks()).toBe(1);
  while (await recount());
  expect([await marks(), await differences()]).toEqual([0, []]);
});

test('waits for a rebuild that an operator has started; marks of hours without a version are not kept', async () => {
  await record(UNKNOWN, packsOf(ROWS, PERIOD, 'u'));
  await record(UNKNOWN, packsOf(ROWS, PERIOD, 'v', ''));
  expect(await marks()).toBe(6);
  await referenceStore(pool).keepReference(reference);
  await rebuildStore(pool).alone(async () => expect(await recount()).toBe(false));
  expect(await marks()).toBe(6);
});

test('hours of before there were marks are marked once, those alone that hold predictions nobody counted', async () => {
  const later = { start: '2025-01-02T00:00:00.000Z', end: '2025-01-02T06:00:00.000Z' };
  await record(UNKNOWN, packsOf(ROWS, PERIOD, 'u'));
  await label(LABELS.slice(0, 60));
  await referenceStore(pool).keepReference(reference);
  await record(KNOWN, packsOf(ROWS, later, 'v'));
  await label(ROWS.map((row, index) => ({ id: `v-${index}-0`, label: row.label })));
  while ((await foldCounts(pool)) > 0);
  while ((await packCounts(pool)) > 0);
  await pool.query('truncate monitoring.uncounted_hours');
  await pool.query(hoursOfBefore);
  expect(await marks()).toBe(6);
  while (await recount());
  await label(LABELS.slice(60));
  expect([await marks(), await differences()]).toEqual([0, []]);
  expect(await bySegment()).toEqual({ least: 0, labelled: 240, scored: 240 });
});

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: ${MODEL}
period: { every: month, coverageFloor: 0 }
minimum: { rows: 50, events: 0, rowsPerBin: 0 }
rules:
  - { id: missing, metric: lInfinity, scope: each-input, op: '>=', limit: 0.5, severity: alert }
notify: { on: [] }
`;

test('a window with such hours is judged once they are counted: values that nobody has counted are not missing', async () => {
  await record(UNKNOWN, packsOf(ROWS, PERIOD, 'u'));
  await referenceStore(pool).keepReference(reference);
  const judge = windowJudge({
    store: judgeStore(pool),
    writer: { policy: async () => ({ blob: 'b10b', text: POLICY }) },
    references: KNOWN,
    parsePolicy,
    announcer: { channels: [], dashboardUrl: undefined },
    clock: { now: () => Date.parse('2026-01-01T00:00:00.000Z') },
    log: silentLogger,
    settleMs: 0,
  });
  expect(await judge()).toEqual([]);
  while (await recount());
  expect((await judge()).map(({ state, metrics }) => [state, metrics.predictions])).toEqual([['healthy', 120]]);
  expect(await judge()).toEqual([]);
});

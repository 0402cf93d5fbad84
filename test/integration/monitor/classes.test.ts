import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { type Baseline, type ModelVersion, silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { rebuild } from '../../../packages/monitor/src/app/rebuild.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { classSums, MATRIX } from '../../../packages/monitor/src/metrics/class-counts.ts';
import { type MetricName, metricOf } from '../../../packages/monitor/src/metrics/registry.ts';
import { segmentInputs, segmentsOf } from '../../../packages/monitor/src/metrics/segment-counts.ts';
import { snapshotQuery } from '../../../packages/monitor/src/snapshot/query.ts';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packCounts } from '../../../packages/monitor/src/store/pack-counts.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { rebuildStore } from '../../../packages/monitor/src/store/rebuild-store.ts';
import { referenceStore } from '../../../packages/monitor/src/store/reference-store.ts';
import { windowCounts } from '../../../packages/monitor/src/store/window-counts.ts';
import { empty, type Monitoring, startMonitoring } from './database.ts';
import { baseline, type Case, cases, exchange, modelVersion, MODEL, pack } from './support.ts';

const START = Date.parse('2025-01-01T00:00:00.000Z');
const WINDOW = {
  model: MODEL,
  version: '1',
  environment: 'prod',
  start: '2025-01-01T00:00:00.000Z',
  end: '2025-02-01T00:00:00.000Z',
};
const CLASSES = ['setosa', 'versicolor', 'virginica'];
const version: ModelVersion = {
  ...modelVersion('1'),
  signature: {
    ...modelVersion('1').signature,
    outputs: [{ name: 'probabilities', dtype: 'DT_FLOAT', shape: [-1, 3] }],
  },
  target: { variable: 'species', event: '1', probability: 'probabilities', classification: 'classes' },
};
const reference = {
  modelVersion: version,
  baseline: {
    ...baseline('1', cases(500, 30)),
    segments: ['job'],
    classification: { classes: CLASSES, columns: [], predicted: [40, 40, 20], heldOut: {} },
  } as Baseline,
};
const references = async () => reference;

let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(async () => {
  await database.stop();
});
beforeEach(() => startOver());

async function startOver(): Promise<void> {
  await empty(pool);
  await referenceStore(pool).keepReference(reference);
}

/** One predict call for each answer, six minutes apart. Prediction ids are `<prefix>-<i>-0`. */
function calls(prefix: string, answers: readonly unknown[]) {
  const [row] = cases(1, 3) as [Case];
  return answers.map((answer, index) => {
    const time = new Date(START + index * 360_000).toISOString();
    const call = exchange({ id: `${prefix}-${index}`, rows: [row], time }, index);
    const response = Buffer.from(JSON.stringify({ predictions: [answer] }));
    return { ...call, head: { ...call.head, responseLength: response.length }, response };
  });
}

const record = (one: Parameters<typeof recordPack>[1]) =>
  recordPack({ store: packStore(pool), references, log: silentLogger }, one);
const recordAll = (prefix: string, answers: readonly unknown[]) => record(pack(calls(prefix, answers), 0, prefix));
const label = (labels: Parameters<typeof addLabels>[1]) => addLabels(labelStore(pool), labels, []);

async function differences(): Promise<unknown[]> {
  const found: unknown[] = [];
  const asked = { model: MODEL, from: '2024-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z', verify: true };
  await rebuild({ store: rebuildStore(pool), references }, asked, (report) => found.push(...report.differences));
  return found;
}

const settle = async () => {
  while ((await foldCounts(pool)) > 0);
  while ((await packCounts(pool)) > 0);
};

/** Answers in all forms that TensorFlow Serving gives; the last two name no class that is known. */
const ANSWERS: ReadonlyArray<readonly [answer: unknown, predicted: number, probabilities: readonly number[] | null]> = [
  [[0.7, 0.2, 0.1], 0, [0.7, 0.2, 0.1]],
  [[0.1, 0.3, 0.6], 2, [0.1, 0.3, 0.6]],
  [{ classes: 'versicolor', probabilities: [0.2, 0.5, 0.3] }, 1, [0.2, 0.5, 0.3]],
  [{ classes: 2, probabilities: [0.2, 0.3, 0.5] }, 2, [0.2, 0.3, 0.5]],
  [{ classes: ['virginica', 'setosa', 'versicolor'], probabilities: [0.8, 0.05, 0.15] }, 2, [0.05, 0.15, 0.8]],
  [{ classes: 'setosa' }, 0, null],
  [{ classes: 'tulip', probabilities: [0.2, 0.3, 0.5] }, 3, [0.2, 0.3, 0.5]],
  [[0.5, 0.5], 3, null],
];

test('counts equal the rows after any sequence of packs, repeated packs, early, late, corrected and repeated labels', async () => {
  const answers = Array.from({ length: 40 }, (_, index) => (ANSWERS[index % ANSWERS.length] as (typeof ANSWERS)[0])[0]);
  const all = calls('p', answers);
  const packs = [0, 10, 20, 30].map((at) => pack(all.slice(at, at + 10), at, 'p'));
  const given = fc.record({
    id: fc.nat(44).map((n) => `p-${n}-0`),
    label: fc.constantFrom<string | number>('setosa', 'versicolor', 'virginica', 0, 1, 2, 7, 'tulip', 'rose'),
  });
  const step = fc.oneof(
    fc.record({ pack: fc.nat(packs.length - 1) }),
    fc.record({ labels: fc.array(given, { maxLength: 12 }) }),
    fc.constantFrom('fold' as const, 'pack' as const),
  );
  const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
    await startOver();
    const recorded = new Set<number>();
    const truths = new Map<string, string | number>();
    for (const one of steps) {
      if (one === 'fold') await foldCounts(pool);
      else if (one === 'pack') await packCounts(pool);
      else if ('pack' in one) {
        await record(packs[one.pack] as (typeof packs)[0]);
        for (let at = one.pack * 10; at < one.pack * 10 + 10; at++) recorded.add(at);
      } else {
        expect((await label(one.labels)).refused).toEqual([]);
        for (const each of one.labels) truths.set(each.id, each.label);
      }
    }
    // Counted by hand from what was sent: nothing of the product's reading of answers or labels is in it.
    const wanted = new Map<number, number>();
    let loss = 0;
    for (const at of recorded) {
      const [, predicted, probabilities] = ANSWERS[at % ANSWERS.length] as (typeof ANSWERS)[0];
      const truth = truths.get(`p-${at}-0`);
      const index = typeof truth === 'string' ? CLASSES.indexOf(truth) : (truth ?? -2);
      const slot = truth === undefined ? 4 : index >= 0 && index < 3 ? index : 3;
      wanted.set(predicted * 5 + slot, (wanted.get(predicted * 5 + slot) ?? 0) + 1);
      if (slot < 3 && probabilities !== null) loss -= Math.log(probabilities[slot] as number);
    }
    const check = async () => {
      const counts = await windowCounts(pool, WINDOW);
      expect(new Map(counts.variables[MATRIX])).toEqual(wanted);
      expect(classSums(counts)?.logLoss ?? 0).toBeCloseTo(loss, 6);
    };
    await check();
    await settle();
    await check();
    expect(await differences()).toEqual([]);
  });
  await fc.assert(property, { numRuns: 12, seed: 15 });
});

test('labels by name, by index and by unknown names are booked, corrected, told apart, and refused where they can be none', async () => {
  await recordAll('l', [
    [0.7, 0.2, 0.1],
    [0.1, 0.3, 0.6],
    [0.3, 0.4, 0.3],
  ]);
  expect(await label([{ id: 'l-0-0', label: 'virginica' }])).toMatchObject({ joined: 1 });
  expect(await label([{ id: 'l-0-0', label: 2 }])).toMatchObject({ unchanged: 1 });
  expect(await label([{ id: 'l-0-0', label: 'rose' }])).toMatchObject({ corrected: 1 });
  expect(await label([{ id: 'l-0-0', label: 'rose' }])).toMatchObject({ unchanged: 1 });
  expect(await label([{ id: 'l-1-0', label: 1.5 }])).toMatchObject({
    refused: [
      { id: 'l-1-0', reason: 'label must be a class, such as setosa, versicolor, virginica, or its number from 0' },
    ],
  });
  const counts = await windowCounts(pool, WINDOW);
  expect(counts.variables[MATRIX]).toEqual([
    [3, 1],
    [9, 1],
    [14, 1],
  ]);
  expect(counts.scores).toEqual([[-1, 2, 1, 0]]);
  expect(counts.variables['$class/sums']).toBeUndefined();
  const { rows } = await pool.query(
    'select name from monitoring.prediction_labels l join monitoring.class_names n on n.key = l.label',
  );
  expect(rows).toEqual([{ name: 'rose' }]);
});

test('a label that moves from one class to another has its hour judged again', async () => {
  await recordAll('d', [[0.7, 0.2, 0.1]]);
  await label([{ id: 'd-0-0', label: 'setosa' }]);
  await pool.query('delete from monitoring.dirty_hours');
  await label([{ id: 'd-0-0', label: 'virginica' }]);
  expect((await pool.query('select from monitoring.dirty_hours')).rowCount).toBe(1);
});

test('three answers through the recorder give the figures worked by hand; a spoilt count is found and mended', async () => {
  await recordAll('t', [
    [0.7, 0.2, 0.1],
    [0.3, 0.4, 0.3],
    [0.1, 0.3, 0.6],
  ]);
  await label(['setosa', 'virginica', 'virginica'].map((name, index) => ({ id: `t-${index}-0`, label: name })));
  await settle();
  const counts = await windowCounts(pool, WINDOW);
  const value = (name: MetricName, at = '') => metricOf(name).evaluate(counts, reference.baseline, at)?.value;
  expect(value('accuracy')).toBeCloseTo(2 / 3, 12);
  expect(value('balancedAccuracy')).toBeCloseTo((1 + 0.5) / 2, 12);
  expect(value('classRecall', 'virginica')).toBe(0.5);
  expect(value('kappa')).toBeCloseTo((2 / 3 - 3 / 9) / (1 - 3 / 9), 12);
  expect(value('logLoss')).toBeCloseTo(-(Math.log(0.7) + Math.log(0.3) + Math.log(0.6)) / 3, 8);
  expect(value('auc')).toBeUndefined();
  // Each class has the highest probability of its own rows but versicolor, which did not come.
  expect(value('classAuc', 'setosa')).toBe(1);
  expect(value('classAuc', 'virginica')).toBe(1);
  expect(value('classAuc', 'versicolor')).toBeUndefined();
  expect(value('macroAuc')).toBe(1);
  // All three calls have the same inputs: one segment, two of three right.
  const { segments } = segmentsOf(counts, segmentInputs(reference.baseline), [0], 'classes');
  expect(segments.map((one) => metricOf('accuracy').evaluate(one.counts, undefined, ''))).toMatchObject([
    { value: 2 / 3, sample: 3 },
  ]);
  await pool.query(
    "update monitoring.profile_counts set count = count + 1 where variable = '$class/matrix' and bin = 0",
  );
  expect(await differences()).toEqual([{ variable: '$class/matrix', bin: 0, stored: 2, rows: 1 }]);
});

test('names wait only where a model of several classes is known, and join no model of 0 and 1', async () => {
  const binary = { modelVersion: modelVersion('2'), baseline: baseline('2', cases(500, 30)) };
  await referenceStore(pool).keepReference(binary);
  expect(await label([{ id: 'b-0-0', label: 'rose' }])).toMatchObject({ early: 1 });
  const call = exchange({ id: 'b-0', rows: cases(1, 4), time: WINDOW.start, version: '2' }, 0);
  await recordPack({ store: packStore(pool), references: async () => binary, log: silentLogger }, pack([call], 0, 'b'));
  expect((await pool.query('select truth from monitoring.predictions')).rows).toEqual([{ truth: null }]);
  await pool.query("delete from monitoring.model_references where version = '1'");
  for (const id of ['b-0-0', 'nobody'])
    expect((await label([{ id, label: 'rose' }])).refused).toEqual([{ id, reason: 'label must be 0 or 1' }]);
});

test('a snapshot for retraining holds the names of the true classes', async () => {
  await recordAll('s', [
    [0.7, 0.2, 0.1],
    [0.1, 0.3, 0.6],
  ]);
  await label([
    { id: 's-0-0', label: 2 },
    { id: 's-1-0', label: 'rose' },
  ]);
  const { rows } = await pool.query(snapshotQuery(WINDOW, version, CLASSES));
  expect(rows.map(({ species }) => species)).toEqual(['virginica', 'rose']);
});

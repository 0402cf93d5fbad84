import { auc, type Baseline, type ClassBaseline, groupScores } from '@fairway/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WindowCounts } from '../ports.ts';
import { classCells, MATRIX } from './class-counts.ts';
import { type MetricName, metricOf } from './registry.ts';

const K = 3;
/** Rows: predicted a, b, c, none. Columns: true a, b, c, a class that the baseline lacks, not labelled. */
const TABLE = [
  [50, 5, 0, 1, 4],
  [10, 30, 5, 0, 0],
  [0, 5, 10, 0, 0],
  [2, 0, 3, 0, 1],
];
const bins = TABLE.flatMap((row, predicted) =>
  row.map((count, truth) => [predicted * (K + 2) + truth, count] as const),
);
const counts: WindowCounts = { variables: { [MATRIX]: bins }, scores: [[-1, 5, 121, 0]] };

const baseline: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 100,
  events: 0,
  source: '',
  variables: [],
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
  classification: { classes: ['a', 'b', 'c'], columns: [], predicted: [50, 30, 20], heldOut: { [MATRIX]: bins } },
};

/** 90 of 121 right; by true class 62, 40, 18 rows and one unknown; by predicted one 56, 45, 15 and five of none. */
const ROWS: Array<[MetricName, string, number, number]> = [
  ['accuracy', '', 90 / 121, 121],
  ['mce', '', 31 / 121, 121],
  ['balancedAccuracy', '', (50 / 62 + 30 / 40 + 10 / 18) / 3, 120],
  ['macroPrecision', '', (50 / 56 + 30 / 45 + 10 / 15) / 3, 121],
  ['weightedPrecision', '', (62 * (50 / 56) + 40 * (30 / 45) + 18 * (10 / 15)) / 120, 120],
  ['macroF1', '', (100 / 118 + 60 / 85 + 20 / 33) / 3, 121],
  ['weightedF1', '', (62 * (100 / 118) + 40 * (60 / 85) + 18 * (20 / 33)) / 120, 120],
  // Agreement 90/120; by chance (55·62 + 45·40 + 15·18)/120².
  ['kappa', '', (0.75 - 5480 / 14_400) / (1 - 5480 / 14_400), 120],
  ['classRecall', 'a', 50 / 62, 62],
  ['classRecall', 'c', 10 / 18, 18],
  ['classPrecision', 'a', 50 / 56, 56],
  ['unknownClass', '', 1 / 121, 121],
  ['noClass', '', 6 / 126, 126],
  // Shares 0.5, 0.3, 0.2 then, and 60, 45 and 15 of 120 now.
  ['classPsi', '', 0.075 * Math.log(1.25) - 0.075 * Math.log(0.625), 120],
  // 220 rows: expected of the baseline's 100 are 50, 375/11, 175/11, of the others 60, 450/11, 210/11; off by 45/11 each.
  ['classChiSquare', '', (45 / 11) ** 2 * (1 / (375 / 11) + 1 / (175 / 11) + 1 / (450 / 11) + 1 / (210 / 11)), 120],
];

test.each(ROWS)('%s %s, worked by hand', (name, variable, value, sample) => {
  const found = metricOf(name).evaluate(counts, baseline, variable);
  expect(found?.value).toBeCloseTo(value, 9);
  expect(found?.sample).toBe(sample);
  const held = metricOf(name).held;
  if (held !== null) expect(held(baseline, {}, variable)?.value).toBe(found?.value);
});

test('log loss, Brier score and calibration error of two rows, worked by hand', () => {
  const cells = [
    ...classCells({ predicted: 0, probabilities: [0.7, 0.2, 0.1] }, 0, K),
    ...classCells({ predicted: 1, probabilities: [0.3, 0.4, 0.3] }, 2, K),
    // Without label, of an unknown class, without probabilities: none of them says anything of a loss.
    ...classCells({ predicted: 1, probabilities: [0.3, 0.4, 0.3] }, null, K),
    ...classCells({ predicted: 1, probabilities: [0.3, 0.4, 0.3] }, 7, K),
    ...classCells({ predicted: -1, probabilities: null }, 2, K),
  ];
  const variables: Record<string, Array<[number, number]>> = {};
  for (const [name, bin, count] of cells) (variables[name] ??= []).push([bin, count]);
  const of = (name: MetricName) => metricOf(name).evaluate({ variables, scores: [] }, baseline, '');
  expect(of('logLoss')).toEqual({ value: expect.closeTo((-Math.log(0.7) - Math.log(0.3)) / 2, 8), sample: 2 });
  expect(of('classBrier')).toEqual({ value: expect.closeTo((0.14 + 0.74) / 2, 8), sample: 2 });
  // 0.7 said and right, 0.4 said and wrong.
  expect(of('classEce')).toEqual({ value: expect.closeTo((0.3 + 0.4) / 2, 8), sample: 2 });
  expect(of('accuracy')).toMatchObject({ value: 0.25, sample: 4 });
});

/** Probabilities of a, b and c, and the true class; each lies in the middle of its step. */
const SCORED: Array<[probabilities: number[], truth: number]> = [
  [[0.6005, 0.3005, 0.0995], 0],
  [[0.5005, 0.3005, 0.1995], 0],
  [[0.5005, 0.2005, 0.2995], 1],
  [[0.1005, 0.7005, 0.1995], 1],
  [[0.2005, 0.2005, 0.5995], 1],
];
const countsOfScored = (rows: typeof SCORED): WindowCounts => {
  const variables: Record<string, Array<[number, number]>> = {};
  for (const [probabilities, truth] of rows)
    for (const [name, bin, count] of classCells({ predicted: 0, probabilities }, truth, K))
      (variables[name] ??= []).push([bin, count]);
  return { variables, scores: [] };
};

test('each class against the others by its probability: AUC of five rows, worked by hand', () => {
  const found = (name: 'classAuc' | 'macroAuc', of = '') =>
    metricOf(name).evaluate(countsOfScored(SCORED), baseline, of);
  // a: of the 2 × 3 pairs five are won and one is a tie. b: 0.2, 0.7, 0.2 against 0.3 twice: two of six.
  expect(found('classAuc', 'a')?.value).toBeCloseTo(5.5 / 6, 12);
  expect(found('classAuc', 'b')?.value).toBeCloseTo(2 / 6, 12);
  // No row is c: the mean is of the other two.
  expect(found('classAuc', 'c')).toBeNull();
  const errors = ['a', 'b'].map((name) => found('classAuc', name)?.standardError ?? Number.NaN);
  expect(found('macroAuc')).toEqual({
    value: expect.closeTo((5.5 / 6 + 2 / 6) / 2, 12),
    sample: 5,
    bound: expect.closeTo((0.5 / 6 + 0) / 2, 12),
    standardError: expect.closeTo(((errors[0] as number) + (errors[1] as number)) / 2, 12),
  });
  const held = { ...baseline.classification, heldOut: countsOfScored(SCORED).variables } as ClassBaseline;
  expect(metricOf('macroAuc').held?.({ ...baseline, classification: held })).toEqual(found('macroAuc'));
  expect(metricOf('macroAuc').held?.(baseline)).toBeNull();
});

test('AUC of single probabilities lies within the bound that is printed', () => {
  const p = fc.double({ min: 0, max: 1, noNaN: true });
  const row = fc.tuple(fc.tuple(p, p, p), fc.nat({ max: 2 }));
  fc.assert(
    fc.property(fc.array(row, { minLength: 2, maxLength: 40 }), (rows) => {
      const of = rows.map(([probabilities, truth]) => [probabilities, truth] as [number[], number]);
      const exact = auc(
        groupScores(
          of.map(([each]) => each[1] as number),
          of.map(([, truth]) => (truth === 1 ? 1 : 0)),
        ),
      );
      const found = metricOf('classAuc').evaluate(countsOfScored(of), baseline, 'b');
      if (exact === null) expect(found).toBeNull();
      else expect(Math.abs((found?.value ?? Number.NaN) - exact)).toBeLessThanOrEqual((found?.bound ?? 0) + 1e-12);
    }),
  );
});

test('beyond twenty classes nothing is counted by score', () => {
  const probabilities = Array.from({ length: 21 }, () => 1 / 21);
  const cells = classCells({ predicted: 0, probabilities }, 3, 21);
  expect(cells.some(([name]) => name === '$class/scores')).toBe(false);
  expect(classCells({ predicted: 0, probabilities: probabilities.slice(1) }, 3, 20)).toHaveLength(cells.length + 20);
});

test('what the counts cannot give is null: two classes, no labels, a class that never came', () => {
  const binary: WindowCounts = { variables: {}, scores: [[5000, 0, 1, 1]] };
  for (const name of ['kappa', 'classRecall', 'classPsi', 'classBrier', 'unknownClass'] as const)
    expect(metricOf(name).evaluate(binary, baseline, 'a')).toBeNull();
  const unlabelled: WindowCounts = { variables: { [MATRIX]: [[4, 10]] }, scores: [] };
  for (const name of ['accuracy', 'balancedAccuracy', 'kappa', 'macroF1', 'classRecall', 'logLoss'] as const)
    expect(metricOf(name).evaluate(unlabelled, baseline, 'a')).toBeNull();
  expect(metricOf('classPsi').evaluate(unlabelled, baseline, '')?.sample).toBe(10);
  expect(metricOf('classRecall').evaluate(counts, baseline, 'd')).toBeNull();
  expect(metricOf('accuracy').evaluate(binary, { ...baseline, classification: undefined as never }, '')?.value).toBe(
    0.5,
  );
});

import * as fc from 'fast-check';
import type { Baseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { metricOf, type MetricName } from './registry.ts';
import { regressionSums, sumCells } from './sums.ts';

const of = (rows: ReadonlyArray<readonly [prediction: number, y: number]>) =>
  rows.flatMap(([prediction, y]) => sumCells(prediction, y));
const prediction = {
  kind: 'numeric',
  name: 'price',
  edges: [10, 20],
  counts: [50, 30, 20],
  n: 100,
  missing: 0,
  mean: 12,
  std: 10,
  min: 0,
  max: 40,
} as const;
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
  regression: { prediction, performance: { rows: 3, mae: 1.5, rmse: 2, rSquared: 0.9 } },
};
// Errors 1, 2, -3; the mean of 0, 4, 5 is 3, so their squares around it are 9 + 1 + 4 = 14.
const ERRORS = of([
  [1, 0],
  [6, 4],
  [2, 5],
]);
const figure = (name: MetricName, counts: Parameters<ReturnType<typeof metricOf>['evaluate']>[0]) =>
  metricOf(name).evaluate(counts, baseline, '');

test('errors of three predictions, worked by hand', () => {
  const counts = { variables: {}, scores: [[-1, 2, 3, 0]] as const, sums: ERRORS };
  // Their squares lie 14/3 − 4 around the mean of 2.
  expect(figure('mae', counts)).toMatchObject({ value: 2, sample: 3 });
  expect(figure('mae', counts)?.standardError).toBeCloseTo(Math.sqrt((14 / 3 - 4) / 3), 12);
  expect(figure('rmse', counts)).toEqual({ value: Math.sqrt(14 / 3), sample: 3 });
  expect(figure('rSquared', counts)).toEqual({ value: 0, sample: 3 });
  expect(
    ['eventRate', 'targetPsi', 'auc', 'brier', 'accuracy'].map((name) => figure(name as MetricName, counts)),
  ).toEqual([null, null, null, null, null]);
  expect(metricOf('rmse').held?.(baseline)).toEqual({ value: 2, sample: 3 });
});

test('no errors, one true value only, nothing at all', () => {
  const exact = { variables: {}, scores: [], sums: of([[7, 7]]) };
  expect(figure('mae', exact)).toEqual({ value: 0, sample: 1, standardError: 0 });
  expect(figure('rSquared', exact)).toBeNull();
  expect(figure('mae', { variables: {}, scores: [] })).toBeNull();
});

test.each([0.1, 0.3, 1 / 3, 123.456, 1_000_000.1])(
  'R2 has no figure where every true value is %d, however they are rounded',
  (y) => {
    for (const n of [2, 3, 7, 100]) {
      const sums = of(Array.from({ length: n }, (_, row) => [y + row, y] as const));
      expect(figure('rSquared', { variables: {}, scores: [], sums })).toBeNull();
    }
  },
);

test('R2 of true values that differ little for their size', () => {
  const sums = of([
    [100_000, 100_000],
    [100_001, 100_002],
  ]);
  expect(figure('rSquared', { variables: {}, scores: [], sums })?.value).toBeCloseTo(0.5, 3);
});

test('drift of the prediction in its own bins', () => {
  // Shares 0.5, 0.3, 0.2 became 0.2, 0.3, 0.5. The eighth decile was 20 and is 32: 12 of a deviation of 10.
  const counts = {
    variables: {
      price: [
        [0, 20],
        [1, 30],
        [2, 50],
      ] as const,
    },
    scores: [],
  };
  expect(figure('predictionPsi', counts)?.value).toBeCloseTo(0.6 * Math.log(0.5 / 0.2), 12);
  expect(figure('predictionDrift', counts)?.value).toBeCloseTo(1.2, 12);
});

test('sums are the same in every order, and what is taken away leaves nothing', () => {
  const value = fc.double({ min: -1e50, max: 1e50, noNaN: true });
  const rows = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(rows, rows, (kept, gone) => {
      const away = of(gone).map(([label, limb, amount]) => [label, limb, -amount] as const);
      const mixed = [...of(gone), ...of(kept).reverse(), ...away];
      expect(regressionSums(mixed)).toEqual(regressionSums(of(kept)));
    }),
  );
  // In doubles 0.1 + 1e16 - 1e16 is 0.
  const cells = [
    ...of([
      [0, 0.1],
      [0, 1e16],
    ]),
    ...of([[0, 1e16]]).map(([a, b, n]) => [a, b, -n] as const),
  ];
  expect(regressionSums(cells)).toMatchObject({ n: 1, sumY: 0.1, sumAbsoluteError: 0.1 });
});

import { type Baseline, variableBaseline } from '@fairway/core';
import { describe, expect, test } from 'vitest';
import type { WindowCounts } from '../ports.ts';
import { chiSquareQuantile } from './chi-square.ts';
import { METRICS, type MetricName, metricOf } from './registry.ts';

const baseline: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 10,
  events: 4,
  source: '',
  variables: [
    { kind: 'numeric', name: 'x', edges: [10], counts: [50, 50], n: 100, missing: 0, mean: 0, std: 1, min: 0, max: 20 },
    { kind: 'category', name: 'c', categories: ['a'], counts: [90, 0], n: 90, missing: 10 },
  ],
  performance: { auc: 0.9, ks: 0.6, rows: 10, events: 4 },
  scores: [
    [1000, 4, 1],
    [9000, 2, 3],
  ],
};

/** Worked by hand: scores 0.10005 and 0.90005 with (3, 1) and (1, 3) non-events and events, two unlabelled, one without score. */
const counts: WindowCounts = {
  variables: {
    x: [
      [-2, 1],
      [0, 3],
      [1, 6],
      [-1, 1],
    ],
    c: [
      [0, 8],
      [1, 1],
      [-1, 2],
    ],
  },
  scores: [
    [-1, 1, 0, 0],
    [1000, 2, 3, 1],
    [9000, 0, 1, 3],
  ],
};

type Row = [metric: MetricName, variable: string, value: number, sample: number];

describe('each metric, worked by hand', () => {
  test.each<Row>([
    // wins = 1×1.5 + 3×(3 + 0.5) = 12 of 16 pairs
    ['auc', '', 0.75, 8],
    ['gini', '', 0.5, 8],
    // after the first score: 3/4 of the non-events, 1/4 of the events
    ['ks', '', 0.5, 8],
    ['brier', '', (3 * 0.10005 ** 2 + 0.89995 ** 2 + 0.90005 ** 2 + 3 * 0.09995 ** 2) / 8, 8],
    ['meanScore', '', (6 * 0.10005 + 4 * 0.90005) / 10, 10],
    ['eventRate', '', 0.5, 8],
    ['missing', 'x', 1 / 11, 11],
    // shares 1/2, 1/2 against 1/3, 2/3; the invalid value is left out
    ['psi', 'x', (1 / 3 - 1 / 2) * Math.log(2 / 3) + (2 / 3 - 1 / 2) * Math.log(4 / 3), 9],
    // an unseen category meets the floor of 1e-4
    ['psi', 'c', (8 / 9 - 1) * Math.log(8 / 9) + (1 / 9 - 1e-4) * Math.log(1 / 9 / 1e-4), 9],
    [
      'psiWithMissing',
      'c',
      (8 / 11 - 0.9) * Math.log(8 / 11 / 0.9) +
        (1 / 11 - 1e-4) * Math.log(1 / 11 / 1e-4) +
        (2 / 11 - 0.1) * Math.log(2 / 11 / 0.1),
      11,
    ],
    // ten held-out scores, five in each of two bins, against six and four
    ['scorePsi', '', (0.6 - 0.5) * Math.log(0.6 / 0.5) + (0.4 - 0.5) * Math.log(0.4 / 0.5), 10],
  ])('%s %s', (name, variable, value, sample) => {
    const found = metricOf(name).evaluate(counts, baseline, variable);
    expect(found?.value).toBeCloseTo(value, 12);
    expect(found?.sample).toBe(sample);
  });

  test('every metric stands in the table above', () => {
    expect(Object.keys(METRICS).sort()).toEqual(
      ['auc', 'brier', 'eventRate', 'gini', 'ks', 'meanScore', 'missing', 'psi', 'psiWithMissing', 'scorePsi'].sort(),
    );
  });

  test('nothing on one side gives null, never a number and never an exception', () => {
    const empty: WindowCounts = { variables: {}, scores: [] };
    const oneClass: WindowCounts = { variables: {}, scores: [[5000, 0, 9, 0]] };
    for (const metric of Object.values(METRICS)) {
      expect(metric.evaluate(empty, baseline, 'x')).toBeNull();
      expect(metric.evaluate(empty, undefined, 'x')).toBeNull();
    }
    for (const name of ['auc', 'gini', 'ks'] as const)
      expect(metricOf(name).evaluate(oneClass, baseline, '')).toBeNull();
    const constant = variableBaseline('k', 'numeric', [7, 7, 7]);
    const missing = variableBaseline('n', 'numeric', [null, null]);
    const odd = { ...baseline, variables: [constant, missing] };
    const now: WindowCounts = { variables: { k: [[0, 4]], n: [[-1, 4]] }, scores: [[1, 4, 0, 0]] };
    expect(METRICS.psi.evaluate(now, odd, 'k')?.value).toBe(0);
    expect(METRICS.psi.evaluate(now, odd, 'n')).toBeNull();
  });

  test('decay is measured against held-out figures', () => {
    expect(METRICS.auc.held?.(baseline)).toMatchObject({ value: 0.9, sample: 10 });
    expect(METRICS.gini.held?.(baseline)?.value).toBeCloseTo(0.8, 12);
    expect(METRICS.ks.held?.(baseline)).toEqual({ value: 0.6, sample: 10 });
    expect(METRICS.eventRate.held?.(baseline)?.value).toBe(0.4);
    expect(METRICS.psi.held).toBeNull();
  });
});

// As R's qchisq prints them.
test.each([
  [0.95, 1, 3.841458820694124],
  [0.95, 9, 16.918977604620448],
  [0.99, 4, 13.276704135987622],
  [0.5, 30, 29.33603],
])('chi-square quantile %d with %d degrees of freedom', (probability, degrees, expected) => {
  expect(chiSquareQuantile(probability, degrees)).toBeCloseTo(expected, 5);
});

test('the noise level of PSI is that of the reference: A = 5,364, ten bins, N = 100 and 5,960', () => {
  const reference = Array.from({ length: 10 }, () => 536.4);
  const at = (n: number) => {
    const variables = { x: reference.map((_, bin) => [bin, n / 10] as const) };
    const variable = {
      kind: 'numeric' as const,
      name: 'x',
      edges: Array.from({ length: 9 }, (_, k) => k),
      counts: reference,
      n: 5364,
      missing: 0,
      mean: 0,
      std: 1,
      min: 0,
      max: 9,
    };
    return METRICS.psi.evaluate({ variables, scores: [] }, { ...baseline, variables: [variable] }, 'x')?.noise?.(0.95);
  };
  expect(at(100)).toBeCloseTo(0.172, 3);
  expect(at(5960)).toBeCloseTo(0.006, 4);
});

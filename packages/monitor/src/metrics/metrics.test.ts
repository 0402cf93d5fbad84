import { type Baseline, scoreTable, type VariableBaseline, variableBaseline } from '@fairway/core';
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
    {
      kind: 'numeric',
      name: 'x',
      edges: [10],
      counts: [50, 50],
      n: 100,
      missing: 0,
      mean: 0,
      std: 1,
      min: -20,
      max: 20,
    },
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
      [-4, 1],
      [-3, 2],
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

/** Worked in classes.test.ts. */
const CLASSES = [
  'balancedAccuracy',
  'macroPrecision',
  'weightedPrecision',
  'macroF1',
  'weightedF1',
  'kappa',
  'classRecall',
  'classPrecision',
  'macroAuc',
  'classAuc',
  'classBrier',
  'classEce',
  'classPsi',
  'classChiSquare',
  'unknownClass',
  'noClass',
];

type Row = [metric: MetricName, variable: string, value: number, sample: number];

const WORKED: Row[] = [
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
  // 6 and 4 of ten in training, half and half now
  ['targetPsi', '', (0.5 - 0.6) * Math.log(0.5 / 0.6) + (0.5 - 0.4) * Math.log(0.5 / 0.4), 8],
  ['rase', '', Math.sqrt((3 * 0.10005 ** 2 + 0.89995 ** 2 + 0.90005 ** 2 + 3 * 0.09995 ** 2) / 8), 8],
  // half of the labels are right by 0.10005 or 0.09995, a quarter of each class stands on the wrong side
  ['logLoss', '', -(3 * Math.log(0.89995) + Math.log(0.10005) + Math.log(0.09995) + 3 * Math.log(0.90005)) / 8, 8],
  // two filled tenths: |4 × 0.10005 − 1| and |4 × 0.90005 − 3| of eight rows
  ['ece', '', (Math.abs(0.4002 - 1) + Math.abs(3.6002 - 3)) / 8, 8],
  ['calibration', '', 0.50005 - 0.5, 8],
  ['constantScore', '', 0.6, 10],
  // at 0.5: 3 true and 1 false positive, 1 false and 3 true negatives
  ['accuracy', '', 6 / 8, 8],
  ['mce', '', 2 / 8, 8],
  ['precision', '', 3 / 4, 8],
  ['recall', '', 3 / 4, 8],
  ['specificity', '', 3 / 4, 8],
  ['f1', '', 3 / 4, 8],
  ['mcc', '', (3 * 3 - 1 * 1) / 16, 8],
  // the best four rows tie and hold 3 of 4 events: the best 5 % (0.4 rows) hold 3/4 × 0.4 of them
  ...([5, 10, 15, 20, 25, 30, 40, 50] as const).flatMap((depth): Row[] => [
    [`gain${depth}`, '', (0.75 * 8 * (depth / 100)) / 4, 8],
    [`lift${depth}`, '', 1.5, 8],
  ]),
  // from the fifth row on, one event among four: the best 60 % (4.8 rows) hold 3 + 0.2 of them
  ...([60, 70, 80, 90] as const).flatMap((depth): Row[] => {
    const captured = (3 + (8 * (depth / 100) - 4) / 4) / 4;
    return [
      [`gain${depth}`, '', captured, 8],
      [`lift${depth}`, '', captured / (depth / 100), 8],
    ];
  }),
  // six rows count 0.10005 to events each, four 0.90005: wins = P2 × (N1 + N2/2) + P1 × N1/2
  [
    'cbpeAuc',
    '',
    (3.6002 * (5.3997 + 0.3998 / 2) + (0.6003 * 5.3997) / 2) / ((0.6003 + 3.6002) * (5.3997 + 0.3998)),
    10,
  ],
  ['cbpeAccuracy', '', (6 * 0.89995 + 4 * 0.90005) / 10, 10],
  // 9 % missing in x and 9 % new in c, where the baseline has none: the floor makes each 0.6, and chance 0.9 of eleven rows
  ['p1', '', 0, 11],
  ['p25', '', 0, 11],
  [
    'jsDivergence',
    'x',
    (0.5 * Math.log2(0.5 / (5 / 12)) + 0.5 * Math.log2(0.5 / (7 / 12))) / 2 +
      ((1 / 3) * Math.log2(1 / 3 / (5 / 12)) + (2 / 3) * Math.log2(2 / 3 / (7 / 12))) / 2,
    9,
  ],
  // D_bins = 1/2 − 1/3
  ['ksTwoSample', 'x', 1 / 6, 9],
  // F differs by 0 at −20 … 1/6 at 10 … 0 at 20: two triangles of height 1/6 over 30 and 10; std 1
  ['wasserstein', 'x', ((1 / 6) * 30) / 2 + ((1 / 6) * 10) / 2, 9],
  // the 3rd decile moves most: at 90 % of the first third (k = 0.3 × 9 = 2.7 of 3) against 60 % of the first half
  ['quantileDrift', 'x', 30 * (2.7 / 3 - 0.3 / 0.5), 9],
  // new values: 1 of 11 in place of 0; 8/11 against 0.9; missing 2/11 against 0.1
  ['lInfinity', 'c', 0.9 - 8 / 11, 11],
  ['missingRise', 'c', 2 / 11 - 0.1, 11],
  ['outOfRange', 'x', 3 / 9, 9],
  ['newCategory', 'c', 1 / 9, 9],
];

describe('each metric, worked by hand', () => {
  test.each<Row>(WORKED)('%s %s', (name, variable, value, sample) => {
    const found = metricOf(name).evaluate(counts, baseline, variable);
    expect(found?.value).toBeCloseTo(value, 12);
    expect(found?.sample).toBe(sample);
  });

  test('every metric stands in the table above, or has a test of its own below', () => {
    const apart = [
      'jsDistance',
      'chiSquare',
      'mae',
      'rmse',
      'rSquared',
      'predictionPsi',
      'predictionDrift',
      ...CLASSES,
    ];
    expect([...new Set([...WORKED.map(([name]) => name as string), ...apart])].sort()).toEqual(
      Object.keys(METRICS).sort(),
    );
  });

  test('the distance is the root of the divergence, and tests say their p', () => {
    const distance = metricOf('jsDistance').evaluate(counts, baseline, 'x')?.value ?? 0;
    expect(distance ** 2).toBeCloseTo(metricOf('jsDivergence').evaluate(counts, baseline, 'x')?.value ?? 0, 14);
    // λ = √(100 × 9 / 109) / 6 = 0.479: p = 0.976
    const ks = metricOf('ksTwoSample').evaluate(counts, baseline, 'x');
    expect(ks?.p).toBeCloseTo(0.976, 3);
    expect(ks?.bound).toBeCloseTo(2 / 3, 12);
  });

  test('chi-square merges thin cells: 40/60 against 60/40 and 2/1 beside 0/2', () => {
    const variable = { kind: 'category' as const, name: 'c', categories: ['a', 'b', 'd', 'e'], n: 103, missing: 0 };
    const now: WindowCounts = {
      variables: {
        c: [
          [0, 60],
          [1, 40],
          [2, 1],
          [3, 2],
        ],
      },
      scores: [],
    };
    const base = { ...baseline, variables: [{ ...variable, counts: [40, 60, 2, 1, 0] }] };
    const found = metricOf('chiSquare').evaluate(now, base, 'c');
    // three rows each side in the merged cell: nothing; 2 × (10² / 50 + 10² / 50)
    expect(found?.value).toBeCloseTo(8, 12);
    // R: pchisq(8, 2, lower.tail = FALSE)
    expect(found?.p).toBeCloseTo(0.01831563888873418, 9);
  });

  test('a cutoff decides what is predicted; precision without a prediction is null', () => {
    const at = (name: MetricName, cutoff: number) => metricOf(name).evaluate(counts, baseline, '', { cutoff })?.value;
    expect(at('recall', 0.05)).toBe(1);
    expect(at('specificity', 0.05)).toBe(0);
    expect(at('precision', 0.95)).toBeUndefined();
    expect(at('mcc', 0.95)).toBeUndefined();
    expect(at('cbpeAccuracy', 0.05)).toBeCloseTo((6 * 0.10005 + 4 * 0.90005) / 10, 12);
  });

  test('inputs count as moved where chance does not explain it: a thousand times the rows, or as it was before', () => {
    const times = (n: number) => ({
      ...counts,
      variables: Object.fromEntries(
        Object.entries(counts.variables).map(([name, bins]) => [
          name,
          bins.map(([bin, count]) => [bin, count * n] as const),
        ]),
      ),
    });
    for (const name of ['p1', 'p25'] as const) {
      expect(metricOf(name).evaluate(times(1000), baseline, '')).toEqual({ value: 2, sample: 11_000 });
      expect(metricOf(name).evaluate(counts, baseline, '', { countsChance: true })?.value).toBe(2);
    }
  });

  test('the noise levels of rates', () => {
    // pooled (10 + 2) / 111; 1.6448536 × √(r (1 − r) (1/100 + 1/11))
    const rate = 12 / 111;
    const rise = metricOf('missingRise').evaluate(counts, baseline, 'c')?.noise?.(0.95);
    expect(rise).toBeCloseTo(1.6448536 * Math.sqrt(rate * (1 - rate) * (1 / 100 + 1 / 11)), 7);
    // 18/101 of nine are expected outside a hundred
    const out = metricOf('outOfRange').evaluate(counts, baseline, 'x')?.noise?.(0.5);
    expect(out).toBeCloseTo((18 / 101 + 0.5) / 9, 9);
  });

  test('what was not counted is not known', () => {
    const unguarded = { ...counts, variables: { x: [[0, 3] as const] } };
    expect(metricOf('outOfRange').evaluate(unguarded, baseline, 'x')).toBeNull();
    const cut = { ...baseline, variables: [{ ...baseline.variables[1], counts: [80, 10] } as VariableBaseline] };
    expect(metricOf('newCategory').evaluate(counts, cut, 'c')).toBeNull();
    expect(metricOf('wasserstein').evaluate(counts, baseline, 'c')).toBeNull();
  });

  test('single scores take the place of bins', () => {
    const scores = scoreTable(Float64Array.of(0.3), Float64Array.of(0.1, 0.2), Float64Array.of(0.10001, 0.4));
    const exact = { ...counts, exact: { scores, distances: {} } };
    // 0.4 beats both, 0.10001 beats 0.1: three of four pairs
    expect(metricOf('auc').evaluate(exact, baseline, '')).toMatchObject({ value: 0.75, bound: 0, sample: 4 });
    expect(metricOf('meanScore').evaluate(exact, baseline, '')?.value).toBeCloseTo(1.10001 / 5, 12);
  });

  test('nothing on one side gives null, never a number and never an exception', () => {
    const empty: WindowCounts = { variables: {}, scores: [] };
    const oneClass: WindowCounts = { variables: {}, scores: [[5000, 0, 9, 0]] };
    for (const metric of Object.values(METRICS)) {
      expect(metric.evaluate(empty, baseline, 'x')).toBeNull();
      expect(metric.evaluate(empty, undefined, 'x')).toBeNull();
    }
    // Of one class nothing is ranked, and a share of nothing is nothing.
    const ranked = Object.keys(METRICS).filter((name) =>
      /^(auc|gini|ks|mcc|lift|gain|recall)/.test(name),
    ) as MetricName[];
    expect(ranked.length).toBeGreaterThan(25);
    for (const name of ranked.filter((one) => one !== 'ksTwoSample'))
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

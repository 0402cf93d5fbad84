import { type Baseline, variableBaseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import { falseAlarms } from './chance.ts';

/** Thousands of windows take a second on an idle machine. */
const PATIENCE_MS = 60_000;

const world: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 2000,
  events: 0,
  source: '',
  variables: ['a', 'b', 'c', 'd'].map((name) =>
    variableBaseline(
      name,
      'numeric',
      Array.from({ length: 2000 }, (_, index) => index),
    ),
  ),
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
};

const policyBy = (rule: string) =>
  parsePolicy(
    `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: month, coverageFloor: 0 }
minimum: { rows: 500, events: 0, rowsPerBin: 10 }
rules:
  - { id: psi, severity: alert, ${rule} }
notify: { on: [] }
`,
    'm',
  );
const policyOf = (scope: string, more: string) => policyBy(`metric: psi, scope: ${scope}, op: '>', limit: 0, ${more}`);
const rate = (scope: string, more: string, rows = 1000) =>
  falseAlarms(policyOf(scope, more), world, rows, 2000, 5).alert;

test(
  'a guard of 5 % speaks in about 5 % of windows in which nothing has changed',
  () => {
    const alone = rate('a', 'guard: { noise: 0.95 }');
    expect(alone).toBeGreaterThan(0.02);
    expect(alone).toBeLessThan(0.09);
  },
  PATIENCE_MS,
);

test(
  'four inputs speak four times as often, unless p is corrected for their number',
  () => {
    expect(rate('each-input', 'guard: { p: 0.05, correct: none }')).toBeGreaterThan(0.13);
    expect(rate('each-input', 'guard: { p: 0.05, correct: bonferroni }')).toBeLessThan(0.09);
    expect(rate('each-input', 'guard: { p: 0.05 }')).toBeLessThan(0.09);
  },
  PATIENCE_MS,
);

test(
  'two of two windows speak less often than one',
  () => {
    expect(rate('a', 'guard: { noise: 0.95 }, periods: { n: 2, of: 2 }')).toBeLessThan(0.02);
  },
  PATIENCE_MS,
);

/** Half of the rows a, half b, eight of ten right; predicted × true (a, b, unknown, not labelled). */
const heldOut = {
  '$class/matrix': [
    [0, 800],
    [1, 200],
    [4, 200],
    [5, 800],
    [7, 5000],
  ] as const,
};
const OTHERS: Readonly<Record<string, Baseline>> = {
  classes: { ...world, classification: { classes: ['a', 'b'], columns: [], predicted: [1000, 1000], heldOut } },
  numbers: {
    ...world,
    regression: {
      prediction: world.variables[0] as never,
      performance: { rows: 2000, mae: 1, rmse: 1, rSquared: 0.5 },
    },
  },
};

test.each([
  ['classes', "classPsi, op: '>', limit: 0, guard: { noise: 0.95 }"],
  // One-sided: 1.645 standard errors of both figures.
  ['classes', "accuracy, compare: absolute-decay, op: '>', limit: 0, guard: { z: 1.645 }"],
  ['classes', "classRecall, scope: a, compare: absolute-decay, op: '>', limit: 0, guard: { z: 1.645 }"],
  ['numbers', "predictionPsi, op: '>', limit: 0, guard: { noise: 0.95 }"],
])(
  'a guard of one in twenty speaks in about one window in twenty of %s too: %s',
  (of, rule) => {
    const policy = policyBy(`metric: ${rule}`);
    const { alert, insufficient } = falseAlarms(policy, OTHERS[of] as Baseline, 1000, 1000, 5);
    expect(alert).toBeGreaterThan(0.02);
    expect(alert).toBeLessThan(0.09);
    expect(insufficient).toBe(0);
  },
  PATIENCE_MS,
);

test(
  'too few rows are insufficient, and the same seed gives the same answer',
  () => {
    const policy = policyOf('a', 'guard: { noise: 0.95 }');
    expect(falseAlarms(policy, world, 400, 50, 1)).toEqual({
      rows: 400,
      windows: 50,
      alert: 0,
      warning: 0,
      insufficient: 1,
    });
    expect(falseAlarms(policy, world, 900, 100, 3)).toEqual(falseAlarms(policy, world, 900, 100, 3));
  },
  PATIENCE_MS,
);

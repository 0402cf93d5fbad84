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

const policyOf = (scope: string, more: string) =>
  parsePolicy(
    `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: month, coverageFloor: 0 }
minimum: { rows: 500, events: 0, rowsPerBin: 10 }
rules:
  - { id: psi, metric: psi, scope: ${scope}, op: '>', limit: 0, severity: alert, ${more} }
notify: { on: [] }
`,
    'm',
  );
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

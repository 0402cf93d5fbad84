import type { Baseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { sumCells } from '../metrics/sums.ts';
import { misfits } from '../policy/fit.ts';
import { parsePolicy } from '../policy/parse.ts';
import { judge } from './judge.ts';

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 100, events: 100, rowsPerBin: 10 }
rules:
  - { id: error, metric: mae, compare: relative-decay, op: '>', limit: 0.5, guard: { z: 2 }, severity: alert }
  - { id: rmse, metric: rmse, op: '>=', limit: 4, severity: warning }
  - { id: fit, metric: rSquared, op: '<', limit: 0.5, severity: warning }
  - { id: moved, metric: predictionPsi, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
notify: { on: [] }
`;
const window = {
  model: 'm',
  version: '1',
  environment: 'prod',
  period: '2025Q1',
  start: '2025-01-01T00:00:00.000Z',
  end: '2025-04-01T00:00:00.000Z',
};
const baseline: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 1000,
  events: 0,
  source: '',
  variables: [],
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
  regression: {
    prediction: {
      kind: 'numeric',
      name: 'price',
      edges: [10],
      counts: [500, 500],
      n: 1000,
      missing: 0,
      mean: 10,
      std: 5,
      min: 0,
      max: 20,
    },
    performance: { rows: 1000, mae: 2, rmse: 2.5, rSquared: 0.9 },
  },
};
/** `n` predictions of 10 for true values 10 ± `error`; `unlabelled` more of which nobody knows anything. */
const verdict = (n: number, error: number, unlabelled = 0) =>
  judge({
    window,
    counts: {
      variables: {
        price: [
          [0, (n + unlabelled) / 2],
          [1, (n + unlabelled) / 2],
        ],
      },
      scores: [[-1, unlabelled, n, 0]],
      sums: Array.from({ length: n }, (_, row) => sumCells(10, 10 + (row % 2 === 0 ? error : -error))).flat(),
    },
    earlier: [],
    baseline,
    policy: parsePolicy(POLICY, 'm'),
    blob: 'b',
  });

test('an error that grew alerts, with its figures; every error is its own mean, so R2 is 0', () => {
  const { state, findings, metrics } = verdict(200, 4);
  expect([state, ...findings.map(({ rule, value }) => [rule, value])]).toEqual([
    'alert',
    ['error', 1],
    ['rmse', 4],
    ['fit', 0],
  ]);
  expect(findings[0]?.message).toBe(
    'Mean absolute error is 4.000: it rose by 100.0 % against its baseline, limit 50.0 % (200 rows).',
  );
  expect(metrics).toMatchObject({
    predictions: 200,
    labelled: 200,
    eventRate: null,
    auc: null,
    regression: { mae: 4, rmse: 4, rSquared: 0, predictionPsi: 0, predictionDrift: 0 },
  });
});

test('too few labelled rows, or labels below the floor, are not enough to judge errors', () => {
  expect(verdict(98, 4, 4)).toMatchObject({ state: 'insufficient', metrics: { regression: { mae: null } } });
  expect(verdict(200, 4, 100)).toMatchObject({
    state: 'insufficient',
    metrics: { regression: { mae: null, predictionPsi: 0 } },
  });
});

test('a rule about events is refused where a number is predicted', () => {
  const policy = parsePolicy(POLICY.replace('metric: rmse,', 'metric: logLoss,'), 'm');
  expect(misfits(policy, baseline)).toEqual([
    'rules[1].metric logLoss is about events, but m version 1 predicts a number; use mae, rmse, rSquared, predictionPsi, predictionDrift, p1, p25.',
  ]);
});

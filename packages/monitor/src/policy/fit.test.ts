import type { Baseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { misfits } from './fit.ts';
import { parsePolicy } from './parse.ts';

const baseline: Baseline = {
  definition: 1,
  model: 'm',
  version: '3',
  rows: 4,
  events: 2,
  source: '',
  variables: [
    { kind: 'numeric', name: 'LOAN', edges: [1], counts: [2, 2], n: 4, missing: 0, mean: 1, std: 1, min: 0, max: 2 },
    { kind: 'category', name: 'JOB', categories: ['a'], counts: [4, 0], n: 4, missing: 0 },
  ],
  performance: { auc: 0.9, ks: 0.6, rows: 0, events: 0 },
  scores: [],
};

const policyOf = (rule: string) =>
  parsePolicy(
    `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 500, events: 100, rowsPerBin: 10 }
rules:
  - { id: a, severity: warning, ${rule} }
notify: { on: [] }
`,
    'm',
  );

test.each([
  ["metric: psi, scope: LOAN, op: '>', limit: 0.1", []],
  ["metric: psi, scope: each-input, op: '>', limit: 0.1", []],
  ["metric: p1, op: '>', limit: 1", []],
  [
    "metric: psi, scope: LOAM, op: '>', limit: 0.1",
    ['rules[0].scope is LOAM, which m version 3 lacks; its inputs are LOAN, JOB.'],
  ],
  [
    "metric: wasserstein, scope: JOB, op: '>', limit: 0.1",
    ['rules[0].metric wasserstein is for numbers, but JOB has categories.'],
  ],
  [
    "metric: newCategory, scope: LOAN, op: '>', limit: 0.1",
    ['rules[0].metric newCategory is for categories, but LOAN is a number.'],
  ],
  [
    "metric: p25, op: '>', limit: 2",
    ['rules[0].limit is impossible: m version 3 has 2 inputs, so p25 > 2 never holds.'],
  ],
])('a policy is held against the inputs of the model: %s', (rule, sentences) => {
  expect(misfits(policyOf(rule), baseline)).toEqual(sentences);
});

test.each([
  "metric: mae, op: '>', limit: 1",
  "metric: predictionPsi, op: '>', limit: 1",
  "metric: predictionDrift, op: '>=', limit: 1.5",
])('a rule about numbers is refused where events are predicted: %s', (rule) => {
  const ofEvents = { ...baseline, performance: { auc: 0.9, ks: 0.6, rows: 4, events: 2 } };
  expect(misfits(policyOf(rule), ofEvents)).toEqual([
    expect.stringMatching(
      /^rules\[0\]\.metric \w+ is about numbers, but m version 3 predicts an event; use auc, gini, ks,/,
    ),
  ]);
  // Training data without predictions does not say what they are.
  expect(misfits(policyOf(rule), baseline)).toEqual([]);
});

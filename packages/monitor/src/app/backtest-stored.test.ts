import type { Baseline, ModelVersion } from '@fairway/core';
import { expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import { storedBacktest } from './backtest-stored.ts';

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: month, coverageFloor: 0 }
minimum: { rows: 10, events: 1, rowsPerBin: 1 }
rules:
  - { id: a, metric: METRIC, op: '>=', limit: 0.9, severity: warning }
SEGMENTS
notify: { on: [] }
`;
const SEGMENTS =
  'segments: [{ id: s, metric: auc, limit: 0.1, minimum: { rows: 10, events: 2 }, guard: { p: 0.01 }, severity: warning }]';

const SEGMENTS_OF_CLASSES = SEGMENTS.replace('metric: auc', 'metric: accuracy').replace(', events: 2', '');

const events: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 100,
  events: 50,
  source: '',
  variables: [{ kind: 'category', name: 'x', categories: ['a'], counts: [60, 40], n: 100, missing: 0 }],
  performance: { auc: 0.8, ks: 0.5, rows: 100, events: 50 },
  scores: [
    [2000, 40, 10],
    [8000, 10, 40],
  ],
  segments: ['x'],
};
const bare: Baseline = { ...events, performance: { auc: 0, ks: 0, rows: 0, events: 0 }, scores: [] };
/** 40 and 45 right of fifty each, predicted × true (a, b, unknown, not labelled). */
const heldOut = {
  '$class/matrix': [
    [0, 40],
    [1, 5],
    [4, 10],
    [5, 45],
  ] as const,
};
const classes: Baseline = {
  ...bare,
  classification: { classes: ['a', 'b'], columns: [], predicted: [45, 55], heldOut },
};
const unknown: Baseline = {
  ...bare,
  classification: { classes: ['a', 'b'], columns: [], predicted: [0, 0], heldOut: {} },
};
const prediction = {
  kind: 'numeric',
  name: 'p',
  edges: [1],
  counts: [50, 50],
  n: 100,
  missing: 0,
  mean: 1,
  std: 1,
  min: 0,
  max: 2,
} as const;
const numbers: Baseline = {
  ...bare,
  regression: { prediction, performance: { rows: 100, mae: 1, rmse: 1, rSquared: 0.5 } },
};

async function summaryOf(baseline: Baseline, metric: string, segments = ''): Promise<string> {
  const backtest = storedBacktest({
    starts: async () => [{ version: '1', environment: 'prod', start: '2026-01-01T00:00:00.000Z' }],
    store: {
      counts: async () => ({ variables: {}, scores: [[-1, 100, 0, 0]] }),
      firstStarts: async () => [],
      verdicts: async () => [],
    },
    references: async () => ({ modelVersion: {} as ModelVersion, baseline }),
    parsePolicy,
    channels: ['teams'],
    clock: { now: () => Date.parse('2026-03-01T00:00:00Z') },
  });
  const policy = POLICY.replace('METRIC', metric).replace('SEGMENTS\n', segments === '' ? '' : `${segments}\n`);
  return (await backtest({ model: 'm', policy, since: undefined })).summary;
}

test.each<[what: string, baseline: Baseline, metric: string, segments: string, words: string]>([
  ['events', events, 'constantScore', '', '(400 simulated).'],
  ['events, with segments', events, 'constantScore', SEGMENTS, '(400 simulated, without the rules on segments).'],
  ['events without scores', bare, 'auc', '', '(400 simulated, without the rules on scores and labels).'],
  ['classes', classes, 'mce', '', '(400 simulated).'],
  [
    'classes, by probability',
    classes,
    'logLoss',
    '',
    '(400 simulated, without the rules on probabilities of classes).',
  ],
  [
    'classes without labels',
    unknown,
    'mce',
    SEGMENTS_OF_CLASSES,
    'without the rules on scores and labels and on segments).',
  ],
  ['classes, by inputs alone', unknown, 'missing, scope: x', '', '(400 simulated).'],
  ['numbers', numbers, 'predictionPsi', '', '(400 simulated).'],
  ['numbers, by error', numbers, 'mae', '', '(400 simulated, without the rules on errors).'],
])('chance is told with what was not simulated: %s', async (_, baseline, metric, segments, words) => {
  expect(await summaryOf(baseline, metric, segments)).toContain(words);
});

test('says which rules windows could not answer, in how many of them, and why', async () => {
  expect(await summaryOf(events, 'auc')).toContain(
    'In 1 of 1 window: a could not be evaluated. No row of the window is labelled.',
  );
  expect(await summaryOf(events, 'missing, scope: x')).not.toContain('could not be evaluated');
});

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
const classes: Baseline = {
  ...events,
  scores: [],
  classification: { classes: ['a', 'b'], columns: [], predicted: [50, 50], heldOut: {} },
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
    clock: { now: () => Date.parse('2026-03-01T00:00:00Z') },
  });
  const policy = POLICY.replace('METRIC', metric).replace('SEGMENTS\n', segments === '' ? '' : `${segments}\n`);
  return (await backtest({ model: 'm', policy, since: undefined })).summary;
}

test.each<[what: string, baseline: Baseline, metric: string, segments: string, words: string]>([
  ['events', events, 'constantScore', '', '(400 simulated).'],
  ['events, with segments', events, 'constantScore', SEGMENTS, '(400 simulated, without the rules on segments).'],
  ['classes', classes, 'mce', '', '(400 simulated, without the rules on what such a model predicts).'],
  ['classes, by inputs alone', classes, 'missing, scope: x', '', '(400 simulated).'],
])('chance is told with what was not simulated: %s', async (_, baseline, metric, segments, words) => {
  expect(await summaryOf(baseline, metric, segments)).toContain(words);
});

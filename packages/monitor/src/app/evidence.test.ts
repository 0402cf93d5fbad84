import { type Baseline, canonicalJson } from '@fairway/core';
import { expect, test } from 'vitest';
import type { StoredEvidence } from '../evidence-ports.ts';
import { parsePolicy } from '../policy/parse.ts';
import type { WindowCounts } from '../ports.ts';
import { evidenceOf, replay } from './evidence.ts';
import { type Evidence, judge } from './judge.ts';

const TEXT = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: month, coverageFloor: 0 }
minimum: { rows: 100, events: 0, rowsPerBin: 10 }
rules:
  - { id: psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { p: 0.01 }, periods: { n: 2, of: 3 }, leave: { limit: 0.05 }, severity: alert }
notify: { on: [] }
`;
const policy = { blob: 'b10b', text: TEXT };
const baseline: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 2000,
  events: 0,
  source: '',
  variables: [{ kind: 'category', name: 'x', categories: ['a', 'b'], counts: [1000, 1000, 0], n: 2000, missing: 0 }],
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
};
const counts = (a: number, b: number): WindowCounts => ({
  variables: {
    x: [
      [0, a],
      [1, b],
    ],
  },
  scores: [[-1, a + b, 0, 0]],
});
const evidence: Evidence = {
  window: { model: 'm', version: '1', environment: 'prod', period: '2026-03', start: 's', end: 'e' },
  counts: counts(200, 800),
  earlier: [counts(500, 500), counts(250, 750)],
  baseline,
  policy: parsePolicy(TEXT, 'm'),
  blob: policy.blob,
};

/** What the store gives back: every part read from its text. */
function stored(verdict = canonicalJson(judge(evidence))): StoredEvidence {
  const kept = evidenceOf(evidence, policy);
  const read = (hash: string | null): unknown => JSON.parse(kept.parts.get(hash ?? '') ?? 'null');
  return {
    verdict,
    counts: read(kept.counts) as WindowCounts,
    earlier: kept.earlier.map((hash) => read(hash) as WindowCounts),
    baseline: read(kept.baseline) as Baseline,
    policy: { blob: kept.blob, text: kept.parts.get(kept.policy) ?? '' },
  };
}

test('a verdict comes out of its kept evidence byte for byte', () => {
  const { equal, differences, kept, again } = replay(stored());
  expect([equal, differences, again]).toEqual([true, [], kept]);
  expect(JSON.parse(kept)).toMatchObject({ state: 'alert', findings: [{ variable: 'x' }] });
});

test('says where evidence that was changed leads elsewhere', () => {
  const { equal, differences } = replay({ ...stored(), earlier: [counts(500, 500)] });
  expect(equal).toBe(false);
  expect(differences).toContain('state: "alert" → "healthy"');
  expect(differences.some((line) => line.startsWith('findings.0: {'))).toBe(true);
  expect(differences.some((line) => line.startsWith('metrics'))).toBe(false);
});

test('equal parts are kept once', () => {
  const same: Evidence = { ...evidence, earlier: [evidence.counts, evidence.counts] };
  const kept = evidenceOf(same, policy);
  expect(kept.parts.size).toBe(3);
});

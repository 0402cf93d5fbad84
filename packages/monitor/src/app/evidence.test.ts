import { type Baseline, canonicalJson } from '@fairway/core';
import { expect, test } from 'vitest';
import type { StoredEvidence } from '../ports/evidence.ts';
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
    judging: kept.judging,
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

/**
 * As the program of before judging was numbered has stored it (commit beba15b): its rule on new categories, of which inputs that are
 * numbers have none, left the window without a verdict.
 */
const OLD: StoredEvidence = {
  verdict:
    '{"counts":"4310424a39963104c69c940db789f748b19ddb7c1e1dbb490450b9fdf3fa2e29","findings":[],"id":"96d09a61225f67753111","metrics":{"auc":0.775,"aucInterval":[0.7434164642690563,0.8065835357309438],"brier":0.13600800249999997,"eventRate":0.2,"events":200,"gini":0.55,"ks":0.55,"labelled":1000,"meanScore":0.28005,"missing":{"x":0},"predictions":1000,"psi":{"x":0},"psiWithMissing":{"x":0},"scorePsi":0},"policy":"b10b","state":"insufficient","window":{"end":"2026-04-01T00:00:00.000Z","environment":"prod","model":"m","period":"2026-03","start":"2026-03-01T00:00:00.000Z","version":"1"}}',
  counts: {
    variables: {
      x: [
        [-4, 0],
        [-3, 0],
        [0, 350],
        [1, 300],
        [2, 350],
      ],
    },
    scores: [
      [1000, 0, 600, 40],
      [6000, 0, 200, 160],
    ],
  },
  earlier: [],
  baseline: {
    definition: 1,
    model: 'm',
    version: '1',
    rows: 2000,
    events: 400,
    source: '',
    variables: [
      {
        kind: 'numeric',
        name: 'x',
        edges: [1, 2],
        counts: [700, 600, 700],
        n: 2000,
        missing: 0,
        mean: 1.5,
        std: 1,
        min: 0,
        max: 3,
      },
    ],
    performance: { auc: 0.75, ks: 0.4, rows: 500, events: 100 },
    scores: [
      [1000, 300, 20],
      [6000, 100, 80],
    ],
  },
  policy: {
    blob: 'b10b',
    text: `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: month, coverageFloor: 0.8 }
minimum: { rows: 100, events: 20, rowsPerBin: 10 }
rules:
  - { id: auc-decay, metric: auc, compare: relative-decay, op: '>', limit: 0.5, severity: alert }
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
  - { id: new-category, metric: newCategory, scope: each-input, op: '>=', limit: 0.01, severity: warning }
notify: { on: [] }
`,
  },
  judging: null,
};

test('a verdict of before is replayed as it was judged, and what is judged today keeps how', () => {
  expect(replay(OLD)).toMatchObject({ equal: true, differences: [] });
  // The same evidence today: the rule does not apply.
  const window = (JSON.parse(OLD.verdict) as { window: Evidence['window'] }).window;
  const given = { window, counts: OLD.counts, earlier: [], baseline: OLD.baseline ?? undefined, blob: 'b10b' };
  const again = { ...given, policy: parsePolicy(OLD.policy.text, 'm') };
  const verdict = canonicalJson(judge(again, 2));
  // Other bytes than these are another way of judging: it needs a number of its own (app/judging.ts).
  expect(verdict).toBe(OLD.verdict.replace('"state":"insufficient"', '"state":"healthy"'));
  expect(canonicalJson(judge(again))).toBe(verdict.replace('96d09a61225f67753111', '1d1050554fdd6abb1bcd'));
  // Stored without the number by the program before this one, and with it by this one.
  expect(replay({ ...OLD, verdict }).equal).toBe(true);
  expect(replay({ ...OLD, verdict, judging: 2 }).equal).toBe(true);
  // What was judged by the second way is not excused by the first.
  const { equal, differences } = replay({ ...OLD, judging: 2 });
  expect([equal, differences]).toEqual([false, ['state: "insufficient" → "healthy"']]);
  expect(evidenceOf(again, OLD.policy).judging).toBe(4);
});

test('a verdict of a later program is told, not said to differ', () => {
  expect(() => replay({ ...OLD, judging: 99 })).toThrow(
    'was judged by a later Fairway (judging 99, this one knows up to 4)',
  );
});

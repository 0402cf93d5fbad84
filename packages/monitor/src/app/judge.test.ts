import { type Baseline, canonicalJson } from '@fairway/core';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import type { WindowCounts } from '../ports.ts';
import { type Evidence, judge } from './judge.ts';

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 500, events: 100, rowsPerBin: 10 }
rules:
  - { id: auc-decay, metric: auc, compare: relative-decay, op: '>=', limit: 0.1, guard: { z: 1.96 }, severity: alert }
  - { id: psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { noise: 0.95 }, severity: warning }
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
  rows: 2000,
  events: 500,
  source: '',
  variables: [
    {
      kind: 'numeric',
      name: 'x',
      edges: [1],
      counts: [1000, 1000],
      n: 2000,
      missing: 0,
      mean: 1,
      std: 1,
      min: 0,
      max: 2,
    },
  ],
  performance: { auc: 0.9, ks: 0.6, rows: 2000, events: 500 },
  scores: [
    [1000, 1350, 50],
    [9000, 150, 450],
  ],
};
/** Two scores; `right` of 1,000 events and as many of 1,000 non-events are ranked right: AUC = right / 1,000. */
const counts = (right: number, { x = [1000, 1000], unlabelled = 0 } = {}): WindowCounts => ({
  variables: {
    x: [
      [0, x[0] ?? 0],
      [1, x[1] ?? 0],
    ],
  },
  scores: [
    [1000, unlabelled, right, 1000 - right],
    [9000, 0, 1000 - right, right],
  ],
});
const evidence = (now: WindowCounts, more: Partial<Evidence> = {}): Evidence => ({
  window,
  counts: now,
  earlier: [],
  baseline,
  policy: parsePolicy(POLICY, 'm'),
  blob: 'b10b',
  ...more,
});

describe('the verdict', () => {
  test('is healthy when every rule was looked at and holds', () => {
    expect(judge(evidence(counts(900)))).toMatchObject({
      state: 'healthy',
      findings: [],
      metrics: { auc: 0.9, labelled: 2000 },
    });
  });

  test('is not held up by a rule that no input of the baseline can answer, nor healthy by such rules alone', () => {
    const rule = "  - { id: new, metric: newCategory, scope: each-input, op: '>=', limit: 0.01, severity: warning }";
    const more = parsePolicy(POLICY.replace('notify:', `${rule}\nnotify:`), 'm');
    expect(judge(evidence(counts(900), { policy: more })).state).toBe('healthy');
    const alone = parsePolicy(POLICY.replace(/rules:[\s\S]*notify:/, `rules:\n${rule}\nnotify:`), 'm');
    expect(judge(evidence(counts(900), { policy: alone })).state).toBe('insufficient');
  });

  test('alerts on decay that is large and evident', () => {
    const { state, findings } = judge(evidence(counts(800)));
    expect(state).toBe('alert');
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      rule: 'auc-decay',
      metric: 'auc',
      limit: 0.1,
      op: '>=',
      sample: 2000,
      severity: 'alert',
    });
    expect(findings[0]?.value).toBeCloseTo(1 / 9, 12);
    expect(findings[0]?.message).toBe('AUC is 0.800: it lost 11.1 % against its baseline, limit 10.0 % (2,000 rows).');
  });

  test('alerts where a faultless ranking is lost altogether, though neither figure has an error of its own', () => {
    const perfect = { ...baseline, performance: { auc: 1, ks: 1, rows: 2000, events: 500 } };
    const scores = [
      [1000, 1500, 0],
      [9000, 0, 500],
    ] as const;
    const constant: WindowCounts = { variables: counts(900).variables, scores: [[5000, 0, 1000, 1000]] };
    const given = evidence(constant, { baseline: { ...perfect, scores } });
    expect(judge(given).findings).toMatchObject([{ rule: 'auc-decay', value: 0.5, severity: 'alert' }]);
    expect(judge(given, 2).state).toBe('healthy');
    const same = evidence(counts(1000), { baseline: { ...perfect, scores } });
    expect(judge(same).findings).toEqual([]);
  });

  test('asks rows for each bin of every PSI, and takes no input for moved that chance explains', () => {
    const rule = (text: string) => parsePolicy(POLICY.replace(/rules:[^]*notify/, `rules:\n  - ${text}\nnotify`), 'm');
    const drift = rule("{ id: s, metric: scorePsi, op: '>=', limit: 0.01, severity: warning }");
    const thin = { ...drift, minimum: { ...drift.minimum, rows: 0, rowsPerBin: 1000 } };
    expect(judge(evidence(counts(700), { policy: drift })).state).toBe('warning');
    expect(judge(evidence(counts(700), { policy: thin })).state).toBe('insufficient');
    expect(judge(evidence(counts(700), { policy: thin }), 2).state).toBe('warning');
    const categories = Array.from({ length: 50 }, (_, at) => `c${at}`);
    const many = {
      kind: 'category',
      name: 'x',
      categories,
      counts: [...categories.map(() => 1000), 0],
      n: 50_000,
      missing: 0,
    };
    const broad = rule("{ id: b, metric: p1, op: '>=', limit: 1, severity: warning }");
    // Of ten rows of each category three or four more or less: 0.13; five: 0.27. Chance reaches 0.15.
    const around = (low: number, high: number): WindowCounts => {
      const by = (at: number) => (at % 4 < 2 ? low : high) * (at % 2 === 0 ? -1 : 1);
      return { variables: { x: categories.map((_, at) => [at, 10 + by(at)] as const) }, scores: [[-1, 500, 0, 0]] };
    };
    const given = (low: number, high: number) =>
      evidence(around(low, high), { policy: broad, baseline: { ...baseline, variables: [many as never] } });
    expect(judge(given(3, 4)).state).toBe('healthy');
    expect(judge(given(3, 4), 2).state).toBe('warning');
    expect(judge(given(5, 5)).state).toBe('warning');
  });

  test('counts equality with the limit as a breach', () => {
    const policy = parsePolicy(
      POLICY.replace('relative-decay', 'absolute-decay').replace('limit: 0.1,', 'limit: 0.09999999999999998,'),
      'm',
    );
    expect(judge(evidence(counts(800), { policy })).state).toBe('alert');
  });

  test('does not take noise for decay', () => {
    const few: WindowCounts = {
      variables: {},
      scores: [
        [1000, 0, 550, 1],
        [9000, 0, 0, 1],
      ],
    };
    const policy = parsePolicy(POLICY.replace('events: 100', 'events: 0'), 'm');
    const { findings, metrics } = judge(evidence(few, { policy }));
    expect(metrics.auc).toBeLessThan(0.8);
    expect(findings).toEqual([]);
  });

  test('takes no ranking for known among a handful of non-events, whatever their number of events', () => {
    const policy = parsePolicy(
      POLICY.replace(
        /rules:[^]*notify/,
        "rules: [{ id: a, metric: auc, op: '<', limit: 0.6, severity: alert }]\nnotify",
      ),
      'm',
    );
    const scores = (nonEvents: number) =>
      [
        [1000, 0, 0, 500],
        [9000, 0, nonEvents, 500],
      ] as const;
    const given = (nonEvents: number) =>
      evidence({ variables: counts(900).variables, scores: scores(nonEvents) }, { policy });
    expect(judge(given(3))).toMatchObject({ state: 'insufficient', findings: [] });
    expect(judge(given(3), 2).state).toBe('alert');
    expect(judge(given(100)).state).toBe('alert');
  });

  test('tells a number of inputs as one, and as judged before where it was', () => {
    const rule = "rules: [{ id: broad, metric: p1, op: '>', limit: 0, severity: warning }]\nnotify";
    const given = evidence(counts(900, { x: [500, 1500] }), {
      policy: parsePolicy(POLICY.replace(/rules:[^]*notify/, rule), 'm'),
    });
    const said = (judging?: 3) => judge(given, judging).findings.map(({ message }) => message);
    expect(said()).toEqual(['Number of inputs with a PSI above 0.1 is 1, limit 0 (2,000 rows).']);
    expect(said(3)).toEqual(['Number of inputs with a PSI above 0.1 is 1.000, limit 0.000 (2,000 rows).']);
  });

  test('warns on a moved input, with the noise level', () => {
    const { state, findings } = judge(evidence(counts(900, { x: [500, 1500] })));
    expect(state).toBe('warning');
    expect(findings[0]).toMatchObject({ rule: 'psi', variable: 'x', noise: expect.closeTo(0.00384, 4) });
    expect(findings[0]?.message).toContain('PSI of x is 0.275, limit 0.100');
  });

  test('is insufficient below the minimum of rows, whatever the figures say', () => {
    const { state, findings } = judge(evidence({ variables: { x: [[0, 400]] }, scores: [[1000, 400, 0, 0]] }));
    expect([state, findings]).toEqual(['insufficient', []]);
  });

  test('shows no performance below the coverage floor, and does not call that healthy', () => {
    const { state, metrics } = judge(evidence(counts(800, { unlabelled: 600 })));
    expect(state).toBe('insufficient');
    expect([metrics.auc, metrics.ks, metrics.brier, metrics.eventRate]).toEqual([null, null, null, null]);
    expect(metrics.labelled).toBe(2000);
  });

  test('warns all the same on what can be seen without labels', () => {
    expect(judge(evidence(counts(800, { unlabelled: 600, x: [200, 2400] }))).state).toBe('warning');
  });

  test('is insufficient without a baseline', () => {
    expect(judge(evidence(counts(900), { baseline: undefined })).state).toBe('insufficient');
  });

  test('goes on until the milder limit is passed, and says so', () => {
    const policy = parsePolicy(
      POLICY.replace('limit: 0.1, guard: { z', 'limit: 0.1, leave: { limit: 0.05 }, guard: { z'),
      'm',
    );
    const [fallen, better, good] = [counts(800), counts(840), counts(880)];
    expect(judge(evidence(better, { policy })).state).toBe('healthy');
    const held = judge(evidence(better, { policy, earlier: [fallen] }));
    expect(held).toMatchObject({ state: 'alert', findings: [{ rule: 'auc-decay', limit: 0.1, leave: 0.05 }] });
    expect(held.findings[0]?.message).toBe(
      'AUC is 0.840: it lost 6.7 % against its baseline, limit 10.0 % (2,000 rows), and the rule that it breached before ends below 5.0 %.',
    );
    expect(judge(evidence(good, { policy, earlier: [better, fallen] })).state).toBe('healthy');
  });

  test('takes no evidence from a window that is too small', () => {
    const policy = parsePolicy(POLICY.replace('{ noise: 0.95 }', '{ noise: 0.95 }, periods: { n: 2, of: 2 }'), 'm');
    const moved = counts(900, { x: [500, 1500] });
    const tiny: WindowCounts = { variables: { x: [[0, 100]] }, scores: [[1000, 100, 0, 0]] };
    expect(judge(evidence(moved, { policy, earlier: [tiny] })).state).toBe('healthy');
    expect(judge(evidence(moved, { policy, earlier: [tiny, moved] })).state).toBe('warning');
  });

  test('asks p of every input and corrects for their number', () => {
    const policy = parsePolicy(POLICY.replace('{ noise: 0.95 }', '{ p: 0.01, correct: bonferroni }'), 'm');
    const { findings } = judge(evidence(counts(900, { x: [500, 1500] }), { policy }));
    expect(findings[0]).toMatchObject({ rule: 'psi', variable: 'x', p: expect.closeTo(0, 10) });
    expect(findings[0]?.message).toMatch(/\(2,000 rows; p = [0-9.e-]+\)\.$/);
  });

  test('waits for n of m periods where the rule says so', () => {
    const policy = parsePolicy(
      POLICY.replace('guard: { z: 1.96 },', 'guard: { z: 1.96 }, periods: { n: 2, of: 3 },'),
      'm',
    );
    expect(judge(evidence(counts(800), { policy })).state).toBe('healthy');
    expect(judge(evidence(counts(800), { policy, earlier: [counts(900), counts(900)] })).state).toBe('healthy');
    expect(judge(evidence(counts(800), { policy, earlier: [counts(900), counts(790)] })).state).toBe('alert');
  });
});

test('same counts and same policy give the same bytes; anything else another id', () => {
  const bytes = (one: Evidence) => canonicalJson(judge(one));
  const first = evidence(counts(800, { x: [700, 1300] }));
  expect(bytes(structuredClone(first))).toBe(bytes(first));
  const ids = [
    first,
    evidence(counts(801, { x: [700, 1300] })),
    { ...first, blob: 'other' },
    { ...first, baseline: { ...baseline, rows: 1 } },
  ].map((one) => judge(one).id);
  expect(new Set(ids).size).toBe(4);
});

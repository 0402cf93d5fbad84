import type { Baseline, Unanswered } from '@fairway/core';
import { expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import type { WindowCounts } from '../ports.ts';
import { assess } from './judge.ts';
import { oftenUnanswered, unansweredSentence } from './unanswered.ts';

const RULES = {
  psi: "{ id: psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, severity: warning }",
  missing: "{ id: missing, metric: missing, scope: x, op: '>', limit: 0.5, severity: warning }",
  auc: "{ id: auc, metric: auc, op: '<', limit: 0.6, severity: alert }",
  brier: "{ id: brier, metric: brier, op: '>', limit: 0.6, severity: alert }",
  gini: "{ id: gini, metric: gini, compare: relative-decay, op: '>', limit: 0.1, severity: alert }",
  lost: "{ id: lost, metric: gini, compare: absolute-decay, op: '>', limit: 0.1, severity: alert }",
  category: "{ id: category, metric: newCategory, scope: each-input, op: '>', limit: 0.1, severity: warning }",
} as const;
const policyOf = (...rules: Array<keyof typeof RULES>) =>
  parsePolicy(
    `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 500, events: 100, rowsPerBin: 1000 }
rules: [${rules.map((rule) => RULES[rule]).join(', ')}]
notify: { on: [] }
`,
    'm',
  );
const baseline = (auc: number, rows = 2000): Baseline => ({
  definition: 1,
  model: 'm',
  version: '1',
  rows: 2000,
  events: 500,
  source: '',
  variables: [
    { kind: 'numeric', name: 'x', edges: [1], counts: [9, 9], n: 18, missing: 0, mean: 1, std: 1, min: 0, max: 2 },
  ],
  performance: { auc, ks: 0.6, rows, events: rows / 4 },
  scores: [],
});
/** `[unlabelled, non-events, events]`, all of one score. */
const counts = (unlabelled: number, nonEvents: number, events: number): WindowCounts => ({
  variables: { x: [[0, unlabelled + nonEvents + events]] },
  scores: [[1000, unlabelled, nonEvents, events]],
});
const KNOWN = counts(0, 500, 500);

type Case = [
  what: string,
  rules: ReadonlyArray<keyof typeof RULES>,
  counts: WindowCounts,
  baseline: Baseline | undefined,
  said: Unanswered[],
];

test.each<Case>([
  [
    'few rows, once for all rules',
    ['psi', 'auc'],
    counts(0, 1, 0),
    baseline(0.9),
    [
      {
        rules: ['psi', 'auc'],
        lacks: 'rows',
        reason: 'The window has 1 row, and the policy judges nothing below 500.',
      },
    ],
  ],
  [
    'no label',
    ['missing', 'auc'],
    counts(1000, 0, 0),
    baseline(0.9),
    [{ rules: ['auc'], lacks: 'labels', reason: 'No row of the window is labelled.' }],
  ],
  [
    'few labels',
    ['auc'],
    counts(501, 250, 249),
    baseline(0.9),
    [
      {
        rules: ['auc'],
        lacks: 'labels',
        reason: '49 % of the rows are labelled, below the 80 % that the policy asks for.',
      },
    ],
  ],
  [
    'few events',
    ['auc', 'brier'],
    counts(0, 901, 99),
    baseline(0.9),
    [
      {
        rules: ['auc', 'brier'],
        lacks: 'labels',
        reason: 'The window has 99 events, and the policy asks for 100.',
      },
    ],
  ],
  [
    'few non-events, which only a ranking asks for',
    ['auc', 'brier'],
    counts(0, 1, 999),
    baseline(0.9),
    [
      {
        rules: ['auc'],
        lacks: 'labels',
        reason: 'The window has 1 non-event, and the policy asks for 100 before it judges how events rank among them.',
      },
    ],
  ],
  [
    'few rows for each bin',
    ['psi'],
    KNOWN,
    baseline(0.9),
    [
      {
        rules: ['psi'],
        lacks: 'figure',
        reason: 'There is no PSI: it rests on 1,000 rows, and its bins ask for 2,000.',
      },
    ],
  ],
  [
    'no baseline',
    ['psi'],
    KNOWN,
    undefined,
    [{ rules: ['psi'], lacks: 'figure', reason: 'There is no PSI: the version has no baseline.' }],
  ],
  [
    'no held-out rows',
    ['gini', 'lost'],
    KNOWN,
    baseline(0, 0),
    [
      {
        rules: ['gini', 'lost'],
        lacks: 'reference',
        reason:
          'No loss of Gini can be told: the baseline has no held-out figure of it, and no window so far was good enough to stand in for it.',
      },
    ],
  ],
  [
    'a reference figure below 0, which an absolute loss can be measured from',
    ['gini', 'lost'],
    KNOWN,
    baseline(0.49),
    [
      {
        rules: ['gini'],
        lacks: 'reference',
        reason:
          "No share of Gini can be lost: the reference figure, of the baseline's held-out rows, is -0.020, and a share is of what lies above 0. Use compare: absolute-decay, or a limit on gini itself.",
      },
    ],
  ],
  [
    'a reference figure of 0, of the first good window',
    ['gini'],
    KNOWN,
    { ...baseline(0.5), performanceFrom: '2025Q1' },
    [
      {
        rules: ['gini'],
        lacks: 'reference',
        reason:
          'No share of Gini can be lost: the reference figure, of 2025Q1, its first good window, is 0.000, and a share is of what lies above 0. Use compare: absolute-decay, or a limit on gini itself.',
      },
    ],
  ],
  [
    'no rule that applies',
    ['category'],
    KNOWN,
    baseline(0.9),
    [
      {
        rules: ['category'],
        lacks: 'figure',
        reason: 'No rule of the policy applies to the inputs of this version.',
      },
    ],
  ],
])('a window says what it could not answer, and why: %s', (_, rules, now, held, said) => {
  const { state, unanswered } = assess({ counts: now, earlier: [], baseline: held, policy: policyOf(...rules) });
  expect(unanswered).toEqual(said);
  expect(state === 'alert' || state === 'insufficient').toBe(true);
});

test('a window that could be held against every rule says nothing', () => {
  const given = { counts: KNOWN, earlier: [], baseline: baseline(0.9), policy: policyOf('missing') };
  expect(assess(given)).toEqual({ state: 'healthy', findings: [] });
});

test('the sentence names the rules', () => {
  expect(unansweredSentence({ rules: ['a', 'b'], lacks: 'rows', reason: 'Why.' })).toBe(
    'a, b could not be evaluated. Why.',
  );
});

test('of many windows the rules are told with how often they had no answer, and the newest reason', () => {
  const one = (rules: string[], reason: string) => ({ unanswered: [{ rules, lacks: 'labels', reason } as const] });
  const windows = [one(['a', 'b'], 'Old.'), {}, one(['a', 'b', 'c'], 'New.')];
  expect(oftenUnanswered(windows)).toEqual([
    'In 2 of 3 windows: a, b could not be evaluated. New.',
    'In 1 of 3 windows: c could not be evaluated. New.',
  ]);
  expect(oftenUnanswered([{}, {}])).toEqual([]);
});

import { type Baseline, canonicalJson, type ClassBaseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { classCells, MATRIX } from '../metrics/class-counts.ts';
import { misfits } from '../policy/fit.ts';
import { parsePolicy } from '../policy/parse.ts';
import { classAnswer, classOf, truthOf } from './class-answer.ts';
import { evidenceOf, replay } from './evidence.ts';
import { judge } from './judge.ts';

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 100, events: 100, rowsPerBin: 10 }
rules:
  - { id: accuracy, metric: accuracy, compare: relative-decay, op: '>', limit: 0.1, guard: { z: 2 }, severity: alert }
  - { id: recall, metric: classRecall, scope: each-class, compare: absolute-decay, op: '>=', limit: 0.2, guard: { z: 2 }, severity: warning }
  - { id: moved, metric: classPsi, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
notify: { on: [] }
`;
const CLASSES = ['a', 'b', 'c'];
const window = {
  model: 'm',
  version: '1',
  environment: 'prod',
  period: '2025Q1',
  start: '2025-01-01T00:00:00.000Z',
  end: '2025-04-01T00:00:00.000Z',
};
/** `n` rows of each class; `wrong` of each hundred of class c are taken for b. */
function cells(n: number, wrong: number, unlabelled = 0) {
  const bins = new Map<number, number>();
  const add = (predicted: number, truth: number | null) => {
    for (const [, bin] of classCells({ predicted, probabilities: null }, truth, 3))
      bins.set(bin, (bins.get(bin) ?? 0) + 1);
  };
  for (let row = 0; row < n; row++) {
    add(0, 0);
    add(1, 1);
    add(row % 100 < wrong ? 1 : 2, 2);
  }
  for (let row = 0; row < unlabelled; row++) add(row % 3, null);
  return [...bins].sort(([a], [b]) => a - b);
}
const baseline: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 300,
  events: 0,
  source: '',
  variables: [],
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
  classification: { classes: CLASSES, columns: [], predicted: [100, 100, 100], heldOut: { [MATRIX]: cells(100, 0) } },
};
const evidence = (n: number, wrong: number, unlabelled = 0) => ({
  window,
  counts: {
    variables: { [MATRIX]: cells(n, wrong, unlabelled) },
    scores: [[-1, unlabelled, 3 * n, 0]] as const,
  },
  earlier: [],
  baseline,
  policy: parsePolicy(POLICY, 'm'),
  blob: 'b',
});

test('a class that is missed alerts with its figures, names the class, and is replayed byte for byte', () => {
  const given = evidence(200, 50);
  const judgement = judge(given);
  const { state, findings, metrics } = judgement;
  expect([state, ...findings.map(({ rule, variable, value }) => [rule, variable, value])]).toEqual([
    'alert',
    ['accuracy', undefined, expect.closeTo(1 / 6, 12)],
    ['recall', 'c', 0.5],
    ['moved', undefined, expect.any(Number)],
  ]);
  expect(findings[1]?.message).toContain('of c');
  expect(metrics).toMatchObject({
    predictions: 600,
    labelled: 600,
    auc: null,
    eventRate: null,
    classification: {
      accuracy: expect.closeTo(5 / 6, 12),
      kappa: expect.closeTo(0.75, 12),
      logLoss: null,
      recall: { a: 1, b: 1, c: 0.5 },
    },
  });
  const verdict = canonicalJson(judgement);
  const { counts, earlier } = given;
  const policy = { blob: 'b', text: POLICY };
  expect(replay({ verdict, counts, earlier, baseline, policy })).toMatchObject({ equal: true, differences: [] });
  expect(evidenceOf(given, policy).counts).toMatch(/^[0-9a-f]{64}$/);
});

test('nothing wrong is healthy; too few labels are not enough to judge', () => {
  expect(judge(evidence(200, 0)).state).toBe('healthy');
  expect(judge(evidence(30, 0, 60))).toMatchObject({
    state: 'insufficient',
    metrics: { classification: { accuracy: null, recall: { c: null }, classPsi: expect.any(Number) } },
  });
});

test('a policy that asks for what such a model cannot give is refused in a sentence, and the other way round', () => {
  const policy = (text: string) => parsePolicy(POLICY.replace('metric: classPsi', text), 'm');
  expect(misfits(policy('metric: scorePsi'), baseline)[0]).toContain(
    'rules[2].metric scorePsi is about events, but m version 1 predicts one of several classes; use accuracy, mce, logLoss, balancedAccuracy',
  );
  const recallOf = parsePolicy(POLICY.replace('scope: each-class', 'scope: d'), 'm');
  expect(misfits(recallOf, baseline)).toEqual([
    'rules[1].scope is d, which m version 1 cannot predict; its classes are a, b, c.',
  ]);
  const { classification: _, ...binary } = baseline;
  expect(misfits(policy('metric: classPsi'), binary)).toEqual([
    'rules[1].metric classRecall is about several classes, and the baseline of m version 1 states none.',
    'rules[2].metric classPsi is about several classes, and the baseline of m version 1 states none.',
  ]);
  expect(() => parsePolicy(POLICY.replace('scope: each-class, ', ''), 'm')).toThrow(
    'rules[1].scope is needed for classRecall: each-class, or the name of one class',
  );
});

test('AUC by class needs probabilities that were counted, in the baseline too where it is to decay', () => {
  const asked = (text: string) =>
    parsePolicy(POLICY.replace('metric: classPsi', text).replace(', guard: { noise: 0.99 }', ''), 'm');
  const decay = asked('metric: macroAuc, compare: relative-decay');
  expect(misfits(decay, baseline)).toEqual([
    'rules[2].compare relative-decay cannot be answered: the baseline of m version 1 holds no probabilities of its classes; make it again with fairway baseline, --score naming a column for each class.',
  ]);
  expect(misfits(asked('metric: classAuc, scope: each-class'), baseline)).toEqual([]);
  const classes = Array.from({ length: 21 }, (_, at) => `c${at}`);
  const many = { ...baseline, classification: { ...(baseline.classification as ClassBaseline), classes } };
  expect(misfits(decay, many)).toEqual([
    'rules[2].metric macroAuc is counted for 20 classes at most, and m version 1 predicts one of 21; use accuracy or classRecall.',
  ]);
});

test('verdicts speak of AUC by class only where it was counted, so that those of before are replayed', () => {
  const given = evidence(200, 50);
  expect(judge(given).metrics.classification).not.toHaveProperty('macroAuc');
  const rows = Array.from({ length: 200 }, (_, at) =>
    classCells({ predicted: 0, probabilities: at % 2 === 0 ? [0.8, 0.1, 0.1] : [0.3, 0.6, 0.1] }, at % 2, 3),
  ).flat();
  const scores = rows.filter(([name]) => name === '$class/scores').map(([, bin, count]) => [bin, count] as const);
  const counts = { ...given.counts, variables: { ...given.counts.variables, '$class/scores': scores } };
  expect(judge({ ...given, counts }).metrics.classification).toMatchObject({
    macroAuc: 1,
    auc: { a: 1, b: 1, c: null },
  });
});

test.each([
  ['a name', ['x', 'y'], ' y ', 1],
  ['an index', ['x', 'y'], 1, 1],
  ['an index as text', ['x', 'y'], '0', 0],
  ['beyond', ['x', 'y'], 2, undefined],
  ['a number that is a name', ['3', '4', '5'], 4, 1],
  ['a number that is no name, though an index', ['3', '4', '5'], 0, undefined],
  ['the same number in another spelling', ['3', '4'], '4.0', 1],
  ['nothing', ['x', 'y'], 'NA', undefined],
])('a class by %s', (_, classes, given, wanted) => {
  expect(classOf(classes, given)).toBe(wanted);
});

test('an unknown class is kept as what it is, and what can be no class is refused', () => {
  const keys = new Map([['rose', 2 ** 201]]);
  expect([truthOf(['x', 'y'], 'rose', keys), truthOf(['x', 'y'], 7, keys)]).toEqual([2 ** 201, -8]);
  expect([truthOf(['x', 'y'], 1.5, keys), truthOf(['x', 'y'], -1, keys)]).toEqual([undefined, undefined]);
});

test('probabilities in an output for each class, and what is no probability, are read as they are', () => {
  const answering = {
    target: { probability: 'P_a' },
    classification: { classes: ['a', 'b'], columns: ['P_a', 'P_b'], predicted: [], heldOut: {} },
  };
  const read = (view: unknown) => classAnswer(JSON.stringify(view), answering);
  expect(read({ P_a: 0.4, P_b: 0.6 })).toEqual({ k: 2, predicted: 1, probabilities: [0.4, 0.6] });
  expect(read({ P_a: 0.5, P_b: 0.5 }).predicted).toBe(0);
  expect(read({ P_a: { $: 'NaN' }, P_b: 0.6 })).toEqual({ k: 2, predicted: -1, probabilities: null });
  expect(read({ classes: { $: 'bytes', value: 'b' } })).toEqual({ k: 2, predicted: 1, probabilities: null });
  expect(read({ other: [0.1, 0.9] })).toEqual({ k: 2, predicted: 1, probabilities: [0.1, 0.9] });
  expect(read({ one: [0.1, 0.9], two: [0.9, 0.1] })).toEqual({ k: 2, predicted: -1, probabilities: null });
});

import type { Baseline, Window } from '@fairway/core';
import { expect, test } from 'vitest';
import { classCells } from '../metrics/class-counts.ts';
import { sumCells } from '../metrics/sums.ts';
import { parsePolicy } from '../policy/parse.ts';
import type { WindowCounts } from '../ports.ts';
import { lacksPerformance, yardstick } from './first-good.ts';
import { judge } from './judge.ts';

const policyOf = (rule: string) =>
  parsePolicy(
    `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: month, coverageFloor: 0.8 }
minimum: { rows: 100, events: 20, rowsPerBin: 1 }
rules:
  - { id: decay, ${rule}, compare: relative-decay, op: '>=', limit: 0.1, guard: { z: 1.96 }, severity: alert }
  - { id: shift, metric: psi, scope: each-input, op: '>=', limit: 0.5, severity: alert }
notify: { on: [] }
`,
    'm',
  );
const bare: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 1000,
  events: 500,
  source: '',
  variables: [{ kind: 'category', name: 'x', categories: ['a', 'b'], counts: [500, 500, 0], n: 1000, missing: 0 }],
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
};
/** Of `n` events and as many non-events, `right` of a hundred are ranked right. */
const events = (n: number, right: number, { a = n, unlabelled = 0 } = {}): WindowCounts => ({
  variables: {
    x: [
      [0, a],
      [1, 2 * n + unlabelled - a],
    ],
  },
  scores: [
    [2000, unlabelled, (n * right) / 100, (n * (100 - right)) / 100],
    [8000, 0, (n * (100 - right)) / 100, (n * right) / 100],
  ],
});
const oneClass: WindowCounts = { variables: events(200, 50).variables, scores: [[2000, 0, 0, 400]] };

const at = (month: number): Window => ({
  model: 'm',
  version: '1',
  environment: 'prod',
  period: `2025-0${month}`,
  start: `2025-0${month}-01T00:00:00.000Z`,
  end: `2025-0${month + 1}-01T00:00:00.000Z`,
});
/** Windows from January on. */
const storeOf = (...windows: readonly WindowCounts[]) => ({
  firstStarts: async ({ end }: Window) => windows.map((_, index) => at(index + 1).start).filter((start) => start < end),
  counts: async ({ start }: Window) => windows[Number(start.slice(5, 7)) - 1] as WindowCounts,
});
const AUC = policyOf('metric: auc');

async function judged(baseline: Baseline, policy: typeof AUC, ...windows: readonly WindowCounts[]) {
  const window = at(windows.length);
  const held = await yardstick(storeOf(...windows), window, baseline, policy);
  const counts = windows.at(-1) as WindowCounts;
  return { from: held?.performanceFrom, ...judge({ window, counts, earlier: [], baseline: held, policy, blob: 'b' }) };
}

test.each<[what: string, first: WindowCounts]>([
  ['too small', events(20, 90)],
  ['labelled too little', events(200, 90, { unlabelled: 400 })],
  ['of one class', oneClass],
  ['that alerts by itself', events(200, 90, { a: 20 })],
])('the first good window is what later ones decay from, not one %s', async (_, first) => {
  const { from, state, findings } = await judged(bare, AUC, first, events(200, 90), events(200, 70));
  expect([from, state]).toEqual(['2025-02', 'alert']);
  expect(findings[0]).toMatchObject({ rule: 'decay', value: expect.closeTo(0.2 / 0.9, 12) });
  expect(findings[0]?.message).toContain('it lost 22.2 % against 2025-02, its first good window, limit 10.0 %');
});

test('it is held against itself, and where none is good nothing is known', async () => {
  expect(await judged(bare, AUC, events(200, 70))).toMatchObject({ from: '2025-01', state: 'healthy', findings: [] });
  const { from, state } = await judged(bare, AUC, events(20, 90), oneClass);
  expect([from, state]).toEqual([undefined, 'insufficient']);
});

test('held-out rows of the training data are not replaced, nor asked for', async () => {
  const own = { ...bare, performance: { auc: 0.8, ks: 0.5, rows: 10, events: 5 } };
  const store = { firstStarts: () => Promise.reject(new Error('asked')), counts: async () => oneClass };
  expect(await yardstick(store, at(1), own, AUC)).toBe(own);
  expect(await yardstick(store, at(1), undefined, AUC)).toBeUndefined();
});

test('of numbers their errors, of several classes the matrix', async () => {
  const errors = (n: number, error: number): WindowCounts => ({
    variables: events(n, 50).variables,
    scores: [[-1, 0, 2 * n, 0]],
    sums: Array.from({ length: 2 * n }, (_, row) => sumCells(10 + error + (row % 2), 10)).flat(),
  });
  const ofNumbers = await judged(bare, policyOf('metric: mae'), errors(100, 1), errors(100, 3));
  expect(ofNumbers).toMatchObject({
    from: '2025-01',
    state: 'alert',
    metrics: { regression: { predictionPsi: null } },
  });
  expect(ofNumbers.findings[0]?.value).toBeCloseTo(2 / 1.5, 12);

  const classed = { ...bare, classification: { classes: ['a', 'b'], columns: [], predicted: [0, 0], heldOut: {} } };
  const matrix = (wrong: number): WindowCounts => {
    const bins = new Map<number, number>();
    for (let row = 0; row < 400; row++)
      for (const [, bin] of classCells(
        { predicted: row % 2, probabilities: null },
        row < wrong ? 1 - (row % 2) : row % 2,
        2,
      ))
        bins.set(bin, (bins.get(bin) ?? 0) + 1);
    const own = [...bins].sort(([a], [b]) => a - b);
    return { variables: { ...events(200, 50).variables, '$class/matrix': own }, scores: [[-1, 0, 400, 0]] };
  };
  const ofClasses = await judged(classed, policyOf('metric: accuracy'), matrix(40), matrix(120));
  expect(ofClasses).toMatchObject({ from: '2025-01', state: 'alert', metrics: { classification: { classPsi: 0 } } });
  expect(ofClasses.findings[0]?.value).toBeCloseTo(0.2 / 0.9, 12);
  expect(lacksPerformance(classed)).toBe(true);
});

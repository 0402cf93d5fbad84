import type { Baseline, VerdictState } from '@fairway/core';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import { type Backtest, backtest, type PastWindow } from './backtest.ts';

const policyOf = (more = '', retrain = 'retrain: { on: alert, cooldown: P40D }') =>
  parsePolicy(
    `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: month, coverageFloor: 0 }
minimum: { rows: 100, events: 0, rowsPerBin: 10 }
rules:
  - { id: psi, metric: psi, scope: x, op: '>=', limit: 0.1, severity: alert${more} }
${retrain}
notify: { on: [] }
`,
    'm',
  );
const baseline = (names: readonly string[] = ['x'], version = '1'): Baseline => ({
  definition: 1,
  model: 'm',
  version,
  rows: 2000,
  events: 0,
  source: '',
  variables: names.map((name) => ({
    kind: 'category',
    name,
    categories: ['a', 'b'],
    counts: [1000, 1000, 0],
    n: 2000,
    missing: 0,
  })),
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
});

/** A month whose share of category a, of 1,000 rows, is this. */
function month(
  number: number,
  share: number,
  more: { version?: string; before?: VerdictState; base?: Baseline } = {},
): PastWindow {
  const at = (n: number) => new Date(Date.UTC(2025, n - 1, 1)).toISOString();
  const { version = '1', before, base = baseline(['x'], version) } = more;
  const a = Math.round(share * 1000);
  return {
    window: {
      model: 'm',
      version,
      environment: 'prod',
      period: at(number).slice(0, 7),
      start: at(number),
      end: at(number + 1),
    },
    counts: {
      variables: {
        x: [
          [0, a],
          [1, 1000 - a],
        ],
      },
      scores: [[-1, 1000, 0, 0]],
    },
    baseline: base,
    verdict: before === undefined ? undefined : { state: before, policy: 'b10b' },
  };
}
const [GOOD, BAD] = [0.5, 0.2];
const told = ({ windows }: Backtest) =>
  windows.map(({ state, retrain }) => (retrain === null ? state : `${state} ${retrain}`));

describe('what a policy would have said', () => {
  test('of each window, beside what was said', () => {
    const past = [month(2, BAD, { before: 'healthy' }), month(1, GOOD, { before: 'healthy' }), month(3, GOOD)];
    const { windows, counts, changed } = backtest(policyOf(), past);
    expect(windows.map(({ period, state, before }) => [period, state, before])).toEqual([
      ['2025-01', 'healthy', 'healthy'],
      ['2025-02', 'alert', 'healthy'],
      ['2025-03', 'healthy', null],
    ]);
    expect([counts, changed]).toEqual([{ healthy: 2, warning: 0, alert: 1, insufficient: 0 }, 1]);
    expect(windows[1]?.findings[0]).toMatchObject({ rule: 'psi', variable: 'x' });
  });

  test('looks at the earlier windows of the same version alone', () => {
    const two = policyOf(', periods: { n: 2, of: 2 }');
    expect(told(backtest(two, [month(1, BAD), month(2, BAD)]))).toEqual(['healthy', 'alert opened']);
    expect(told(backtest(two, [month(1, BAD), month(2, BAD, { version: '2' })]))).toEqual(['healthy', 'healthy']);
  });
});

describe('pull requests', () => {
  test.each([
    ['one for one problem', [BAD, BAD, BAD], ['alert opened', 'alert open', 'alert open']],
    [
      'none within the cool-down after a recovery',
      [BAD, GOOD, BAD, BAD],
      ['alert opened', 'healthy', 'alert', 'alert opened'],
    ],
  ])('%s', (_what, shares, expected) => {
    const result = backtest(
      policyOf(),
      shares.map((share, index) => month(index + 1, share)),
    );
    expect(told(result)).toEqual(expected);
    expect(result.pullRequests).toBe(expected.filter((one) => one.endsWith('opened')).length);
  });

  test('none while they are snoozed, and none where the policy asks for none', () => {
    const snoozed = policyOf('', 'retrain: { on: alert, cooldown: P1D, snoozeUntil: 2025-02-10 }');
    expect(told(backtest(snoozed, [month(1, BAD), month(2, BAD)]))).toEqual(['alert', 'alert opened']);
    expect(backtest(policyOf('', ''), [month(1, BAD)]).pullRequests).toBe(0);
  });

  test('a new version ends the old one, and begins with a cool-down', () => {
    const past = [
      month(1, BAD),
      month(2, BAD, { version: '2' }),
      month(3, BAD, { version: '2' }),
      month(4, BAD, { version: '2' }),
    ];
    expect(told(backtest(policyOf(), past))).toEqual(['alert opened', 'alert', 'alert', 'alert opened']);
  });
});

test('a version that lacks an input is left out, in a sentence', () => {
  const past = [month(1, BAD), month(2, BAD, { base: baseline(['y']) })];
  const { windows, problems } = backtest(policyOf(), past);
  expect(windows.map(({ period }) => period)).toEqual(['2025-01']);
  expect(problems).toEqual(['rules[0].scope is x, which m version 1 lacks; its inputs are y.']);
});

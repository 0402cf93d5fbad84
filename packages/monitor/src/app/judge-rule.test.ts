import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import type { Rule } from '../policy/schema.ts';
import { largestP, lookBack, type Mood, stands } from './judge-rule.ts';

const policyOf = (more: string) =>
  parsePolicy(
    `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 500, events: 100, rowsPerBin: 10 }
rules:
  - { id: a, severity: warning, metric: psi, scope: each-input, op: '>=', limit: 0.1${more} }
notify: { on: [] }
`,
    'm',
  );
const ruleOf = (more: string): Rule => policyOf(more).rules[0] as Rule;
/** b breach, c clear, - between, ? could not be evaluated; oldest first. */
const MOODS: Readonly<Record<string, Mood | undefined>> = { b: 'breach', c: 'clear', '-': 'between', '?': undefined };
const moodsOf = (text: string) => text.split('').map((sign) => MOODS[sign]);

describe('a rule stands', () => {
  const TWO_OF_THREE = ', periods: { n: 2, of: 3 }';
  const LEAVE = ', leave: { limit: 0.08 }';
  test.each([
    ['', 'b', true],
    ['', 'bc', false],
    ['', 'b-', false],
    ['', 'b?', false],
    [TWO_OF_THREE, 'b', false],
    [TWO_OF_THREE, 'bcb', true],
    [TWO_OF_THREE, 'bccb', false],
    [TWO_OF_THREE, 'bb-', false],
    // Without evidence a window neither counts nor resets.
    [TWO_OF_THREE, 'bc??b', true],
    [TWO_OF_THREE, 'b?????b', true],
    // Over the limit once, it stands until the milder limit is passed.
    [LEAVE, '-', false],
    [LEAVE, 'b---', true],
    [LEAVE, 'b-c', false],
    [LEAVE, 'b-c-', false],
    [LEAVE, 'b?-', true],
    [LEAVE, 'b?', false],
    [', leave: { limit: 0.08, periods: { n: 2, of: 3 } }', 'bc', true],
    [', leave: { limit: 0.08, periods: { n: 2, of: 3 } }', 'bc-c', false],
    [', leave: { limit: 0.08, periods: { n: 2, of: 3 } }', 'bc--c', true],
    // What was clear before the rule began does not help it to end.
    [', leave: { limit: 0.08, periods: { n: 2, of: 3 } }', 'cbc', true],
    [`${TWO_OF_THREE}${LEAVE}`, 'b--b', false],
    [`${TWO_OF_THREE}${LEAVE}`, 'b-b--', true],
    // Nor does what breached before it ended help it to begin again.
    [`, periods: { n: 2, of: 4 }${LEAVE}`, 'bbcb', false],
  ])('%s over %s: %s', (more, moods, standing) => {
    expect(stands(ruleOf(more), moodsOf(moods))).toBe(standing);
  });
});

test('how far a policy looks back', () => {
  expect(
    ['', ', periods: { n: 2, of: 3 }', ', leave: { limit: 0.08 }'].map((more) => lookBack(policyOf(more))),
  ).toEqual([0, 4, 24]);
});

describe('evidence among many inputs', () => {
  // The worked example of Benjamini and Hochberg (1995), section 3.2: 15 comparisons, α = 0.05.
  const PS = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
  ];
  const rejected = (correct: 'benjamini-hochberg' | 'bonferroni' | 'none', ps: readonly number[] = PS) =>
    ps.filter((p) => p <= largestP(ps, { p: 0.05, correct })).length;

  test('Benjamini and Hochberg reject four of the published fifteen, Bonferroni three', () => {
    expect([rejected('benjamini-hochberg'), rejected('bonferroni'), rejected('none')]).toEqual([4, 3, 9]);
  });

  test('nothing is evident where no p is small, or where there is none', () => {
    expect([rejected('benjamini-hochberg', [0.2, 0.9]), rejected('benjamini-hochberg', [])]).toEqual([0, 0]);
  });
});

import { type Baseline, variableBaseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { misfits } from '../policy/fit.ts';
import { inapplicable } from '../policy/applies.ts';
import { parsePolicy } from '../policy/parse.ts';
import { defaultPolicyText } from './default-policy.ts';

const inputs = [
  variableBaseline('x', 'numeric', [1, 2, 3]),
  variableBaseline('c', 'category', ['a', 'b']),
  variableBaseline('y', 'numeric', [1, 2, 3]),
];
const baselineOf = (count: number): Baseline => ({
  definition: 1,
  model: 'm',
  version: '1',
  rows: 3,
  events: 1,
  source: '',
  variables: inputs.slice(0, count),
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
});

test.each([1, 2, 3])('what is printed for %i inputs fits a baseline of so many', (count) => {
  const policy = parsePolicy(defaultPolicyText({ isNumber: false, inputs: count }), 'any');
  expect(misfits(policy, baselineOf(count))).toEqual([]);
  expect(policy.rules.some(({ id }) => id === 'broad-drift')).toBe(count === 3);
  const numbers = parsePolicy(defaultPolicyText({ isNumber: true, inputs: count }), 'any');
  expect(numbers.rules.some(({ id }) => id === 'broad-drift')).toBe(count === 3);
});

test.each([
  ['new-category', 1, 'The rule new-category does not apply: no input has categories of which the baseline keeps all.'],
  ['new-category', 2, undefined],
  ['out-of-range', 1, undefined],
  ['input-psi', 1, undefined],
])('whether %s applies to a baseline of %i inputs', (id, count, sentence) => {
  const rule = parsePolicy(defaultPolicyText({ isNumber: false }), 'any').rules.find((one) => one.id === id);
  expect(rule && inapplicable(rule, baselineOf(count))).toBe(sentence);
  expect(rule && inapplicable(rule, undefined)).toBeUndefined();
});

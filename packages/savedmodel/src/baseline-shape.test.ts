import { variableBaseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { baselineProblem } from './baseline-shape.ts';

const numeric = variableBaseline('x', 'numeric', [1, 2, 3, null]);
const category = variableBaseline('job', 'category', ['a', 'b', null]);
const good = {
  definition: 1,
  rows: 4,
  events: 1,
  source: 'a'.repeat(64),
  variables: [numeric, category, variableBaseline('gone', 'numeric', [null])],
  performance: { auc: 0.8, ks: 0.5, rows: 3, events: 1 },
  scores: [
    [0, 1, 0],
    [9999, 1, 1],
  ],
};
const regression = { prediction: numeric, performance: { rows: 0, mae: 0, rmse: 0, rSquared: 0 } };

test.each([
  ['of an event', good],
  ['with segments', { ...good, segments: ['job'] }],
  ['of a number', { ...good, regression }],
  ['of classes', { ...good, classification: { classes: ['oak', 'fir'] } }],
])('a baseline %s passes', (_what, value) => expect(baselineProblem(value)).toBeUndefined());

const first = (more: object) => ({ ...good, variables: [{ ...numeric, ...more }] });
const text = (more: object) => ({ ...good, variables: [{ ...category, ...more }] });
test.each<[object, string]>([
  [{ ...good, rows: '4' }, 'has no whole number of rows'],
  [{ ...good, events: 5 }, 'has no whole number of events, at most its rows'],
  [{ ...good, source: undefined }, 'has no source, the sha256 of the data that it was taken from'],
  [{ ...good, variables: {} }, 'has no list of variables'],
  [{ ...good, variables: [null] }, 'has a variable without a name'],
  [{ ...good, variables: [numeric, numeric] }, 'has variable "x" twice'],
  [first({ kind: 'text' }), 'gives variable "x" a kind other than "numeric" or "category"'],
  [first({ n: null }), 'gives variable "x" no whole numbers n and missing'],
  [first({ edges: [2, 1] }), 'gives variable "x" edges that do not ascend'],
  [first({ edges: [1, 'b'] }), 'gives variable "x" no list of edges that are numbers'],
  [first({ edges: [1] }), `gives variable "x" ${numeric.counts.length} counts for 2 bins`],
  [first({ counts: numeric.counts.map(() => 1.5) }), 'gives variable "x" no list of counts that are whole numbers'],
  [first({ n: 9 }), 'gives variable "x" counts that do not add up to its n, 9'],
  [first({ std: null }), 'gives variable "x" no number std'],
  [text({ categories: 'a' }), 'gives variable "job" no list of categories'],
  [text({ categories: ['a', 'a'] }), 'gives variable "job" a category twice'],
  [{ ...good, scores: undefined }, 'has no list of scores'],
  [{ ...good, scores: [[1, 2]] }, 'has scores that are not [bin, non-events, events]'],
  [{ ...good, scores: [[10_000, 1, 1]] }, 'has score bins that do not ascend from 0 to 9999'],
  [{ ...good, performance: null }, 'has no performance'],
  [{ ...good, performance: { auc: 80, ks: 50 } }, 'has a performance without AUC and KS from 0 to 1'],
  [{ ...good, performance: { auc: 0.8, ks: 0 } }, 'has a performance without whole numbers of rows and events'],
  [{ ...good, segments: ['town'] }, 'has segments that are none of its variables: "town"'],
  [{ ...good, segments: 'job' }, 'has segments that are none of its variables: "job"'],
  [{ ...good, regression: {} }, 'gives the predicted number no reference bins'],
  [
    { ...good, regression: { prediction: { ...numeric, edges: 1 } } },
    'gives the predicted number no list of edges that are numbers',
  ],
  [{ ...good, classification: { classes: ['oak'] } }, 'has a classification without two classes or more'],
])('%#: %j', (value, problem) => expect(baselineProblem(value as Record<string, unknown>)).toBe(problem));

import { type VariableBaseline, variableBaseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { segmentedBy } from '../app/segment-bins.ts';
import { ANY_MISSING, MOST_SEGMENT_BINS, segmentCells, segmentInputs } from './segment-counts.ts';

const input = (name: string, bins: number): VariableBaseline => ({
  kind: 'category',
  name,
  categories: Array.from({ length: bins - 1 }, (_, at) => String(at)),
  counts: Array.from({ length: bins }, () => 1),
  n: bins,
  missing: 0,
});
const declared = (bins: number) =>
  segmentInputs({ segments: ['a', 'b'], variables: [input('a', bins), input('b', bins)] });

test('the largest cell of the widest two inputs fits the column that counts it', () => {
  const inputs = declared(MOST_SEGMENT_BINS);
  const last = MOST_SEGMENT_BINS - 1;
  const bins = (
    [
      { predicts: 'events', score: null, label: 1 },
      { predicts: 'classes', isRight: true },
      { predicts: 'numbers', score: 1e50, label: -1e50 },
    ] as const
  ).map((row) => segmentCells(inputs, [last, last], row).map(([, bin]) => bin));
  expect(bins.map((cells) => cells.length)).toEqual([3, 3, expect.any(Number)]);
  expect(Math.max(...bins.flat())).toBeLessThan(2 ** 31);
});

test('a baseline that declares a wider input counts by no segment, instead of having every prediction refused', () => {
  expect(declared(MOST_SEGMENT_BINS + 1)).toEqual([]);
});

test('any-missing tells whether any input of the baseline is missing, declared or not; an input of that name is itself', () => {
  const variables = [
    variableBaseline('n', 'numeric', [1, 2, 3]),
    variableBaseline('c', 'category', ['a', 'b']),
    variableBaseline('$d', 'category', ['a']),
  ];
  const inputs = segmentInputs({ segments: ['c', ANY_MISSING], variables });
  const bins = (view: object) => segmentedBy(JSON.stringify(view), inputs).bins;
  const row = { n: 1, c: 'a', $$d: 'a' };
  expect(bins(row)).toEqual([0, 0]);
  expect(bins({ ...row, n: null })).toEqual([0, 1]);
  expect(bins({ ...row, n: { $: 'NaN' } })).toEqual([0, 1]);
  // A value that is no finite number is there, and is none of the deciles.
  expect(bins({ ...row, n: { $: 'Infinity' } })).toEqual([0, 0]);
  expect(bins({ ...row, $$d: ' ' })).toEqual([0, 1]);
  expect(bins({ n: 1, $$d: 'a' })).toEqual([-1, 1]);
  const own = [variableBaseline(ANY_MISSING, 'category', ['x', 'y'])];
  expect(segmentInputs({ segments: [ANY_MISSING], variables: own })).toEqual(own);
});

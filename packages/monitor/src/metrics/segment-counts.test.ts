import type { VariableBaseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { MOST_SEGMENT_BINS, segmentCells, segmentInputs } from './segment-counts.ts';

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

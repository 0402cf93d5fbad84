import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { VariableBaseline } from './monitoring.ts';
import {
  ABOVE_BIN,
  BELOW_BIN,
  binCount,
  binCounts,
  binOf,
  categoryVariable,
  cellText,
  decileEdges,
  guardBinOf,
  INVALID_BIN,
  isMissing,
  MISSING_BIN,
  rightClosedBin,
  scoreBin,
  variableBaseline,
} from './profile.ts';

test.each(['', ' ', '.', 'NA', 'NaN', ' nan '])('the cell %j is missing', (cell) => expect(cellText(cell)).toBeNull());
test('other cells are trimmed text', () => expect(cellText(' Mgr    ')).toBe('Mgr'));
test('zero and false are values', () =>
  expect([0, false, 'x', null, undefined, Number.NaN].map(isMissing)).toEqual([false, false, false, true, true, true]));

test('a value on an edge belongs to the bin below it', () => {
  expect([0, 1, 1.5, 2, 2.1].map((value) => rightClosedBin([1, 2], value))).toEqual([0, 0, 1, 1, 2]);
});

test('equal deciles merge', () =>
  expect(decileEdges([0, 0, 0, 0, 0, 0, 0, 0, 0, 5])).toEqual([0, expect.closeTo(0.5)]));

test('every value has exactly one bin and counts add up', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.double({ noDefaultInfinity: true }), { nil: null }), { minLength: 1 }),
      (values) => {
        const baseline = variableBaseline('X', 'numeric', values);
        const bins = values.map((value) => binOf(baseline, value));
        expect(bins.filter((bin) => bin === MISSING_BIN).length).toBe(baseline.missing);
        expect(baseline.counts.reduce((a, b) => a + b, 0)).toBe(baseline.n);
        baseline.counts.forEach((count, bin) => expect(bins.filter((b) => b === bin).length).toBe(count));
      },
    ),
  );
});

test('categories are sorted and trimmed, and others have one bin of their own', () => {
  const job = variableBaseline('JOB', 'category', ['Sales', 'Mgr ', 'Mgr', null, '.']);
  expect(job).toEqual({
    kind: 'category',
    name: 'JOB',
    categories: ['Mgr', 'Sales'],
    counts: [2, 1, 0],
    n: 3,
    missing: 2,
  });
  expect([' Mgr', 'Sales', 'Pilot', '', null].map((value) => binOf(job, value))).toEqual([
    0,
    1,
    2,
    MISSING_BIN,
    MISSING_BIN,
  ]);
  expect(binCount(job)).toBe(3);
});

test('what is not a number in a numeric variable is invalid, not missing', () => {
  const loan = variableBaseline('LOAN', 'numeric', [1, 2, 3]);
  expect([Number.POSITIVE_INFINITY, 'abc', '2'].map((value) => binOf(loan, value))).toEqual([
    INVALID_BIN,
    INVALID_BIN,
    expect.any(Number),
  ]);
});

test('score bins are closed below and the last one holds 1', () => {
  expect([0, 0.00009, 0.0001, 0.99999, 1, 1.1, Number.NaN, 'x'].map(scoreBin)).toEqual([
    0,
    0,
    1,
    9999,
    9999,
    undefined,
    undefined,
    undefined,
  ]);
});

const shared = (path: string) => fileURLToPath(new URL(`../../../../shared/${path}`, import.meta.url));
const present = existsSync(shared('data/hmeq/train.csv'));
describe.skipIf(!present)('public HMEQ data (skipped where ../shared is absent)', () => {
  test('edges and right-closed counts equal the published ones', () => {
    const lines = readFileSync(shared('data/hmeq/train.csv'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    const { reference } = JSON.parse(readFileSync(shared('reference/hmeq-q1-q2.json'), 'utf8')) as {
      reference: Record<string, { n: number; missing: number; edges?: number[]; counts_right_closed?: number[] }>;
    };
    let compared = 0;
    for (const [name, expected] of Object.entries(reference)) {
      if (expected.edges === undefined) continue;
      const column = lines[0]?.indexOf(name) ?? -1;
      const values = lines
        .slice(1)
        .map((cells) => (cellText(cells[column] ?? '') === null ? null : Number(cells[column])));
      const baseline = variableBaseline(name, 'numeric', values) as Extract<VariableBaseline, { kind: 'numeric' }>;
      expect({ n: baseline.n, missing: baseline.missing, counts: baseline.counts }).toEqual({
        n: expected.n,
        missing: expected.missing,
        counts: expected.counts_right_closed,
      });
      baseline.edges.forEach((edge, i) => expect(edge).toBeCloseTo(expected.edges?.[i] ?? Number.NaN, 9));
      compared++;
    }
    expect(compared).toBe(10);
  });
});

test('values outside the range of the baseline are counted beside their own bin', () => {
  const variable = variableBaseline('x', 'numeric', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, null]);
  const guards = [0.9, 1, 10, 10.1, null, 'x', '0.5'].map((value) => guardBinOf(variable, value));
  expect(guards).toEqual([BELOW_BIN, undefined, undefined, ABOVE_BIN, undefined, undefined, BELOW_BIN]);
  expect(binOf(variable, 0.9)).toBe(0);
  expect(guardBinOf(variableBaseline('c', 'category', ['a']), 'b')).toBeUndefined();
  expect(guardBinOf(variableBaseline('e', 'numeric', [null]), 1)).toBeUndefined();
});

test('ascending values are counted by the edges as one by one', () => {
  const values = Float64Array.from({ length: 1000 }, (_, i) => Math.floor((i * i) % 37));
  const edges = [3, 7.5, 20];
  const counts = [0, 0, 0, 0];
  for (const value of values) {
    const bin = rightClosedBin(edges, value);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  expect(binCounts(edges, values.toSorted())).toEqual(counts);
});

test('of many categories the commonest keep a bin, ties by name, and the rest share one', () => {
  const tally = new Map([
    ['b', 2],
    ['a', 2],
    ['d', 5],
    ['c', 1],
  ]);
  expect(categoryVariable('k', tally, 3, 2)).toEqual({
    kind: 'category',
    name: 'k',
    categories: ['a', 'd'],
    counts: [2, 5, 3],
    n: 10,
    missing: 3,
  });
});

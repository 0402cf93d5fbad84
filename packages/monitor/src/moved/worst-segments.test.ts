import { expect, test } from 'vitest';
import type { WindowCounts } from '../ports.ts';
import { lookAtSegments, placeOf } from './worst-segments.ts';

const countsOf = (scores: WindowCounts['scores']): WindowCounts => ({ variables: {}, scores });
const LEAST = { rows: 100, ofClass: 20 };
const look = (whole: WindowCounts, segments: Readonly<Record<string, WindowCounts>>) =>
  lookAtSegments(
    'auc',
    whole,
    Object.entries(segments).map(([key, counts]) => ({ key, where: { x: key }, counts })),
    LEAST,
  ).map(({ key, gap, p }) => [key, gap, p]);

const GOOD = countsOf([
  [2000, 0, 90, 10],
  [8000, 0, 10, 90],
]);

test('one score for all of a segment ranks nothing, and no chance is in that', () => {
  const [first, ...others] = look(GOOD, { good: GOOD, same: countsOf([[5000, 0, 100, 50]]) });
  expect(first).toEqual(['same', expect.closeTo(0.4, 12), 0]);
  expect(others).toEqual([['good', 0, 1]]);
});

test('a segment that is ranked without a fault, as all is, is no worse than all', () => {
  const faultless = countsOf([
    [2000, 0, 100, 0],
    [8000, 0, 0, 100],
  ]);
  expect(look(faultless, { x: faultless })).toEqual([['x', 0, 1]]);
});

test('a segment is named by its bins, rows that lack an input in words', () => {
  expect(placeOf({ JOB: 'Other', LOAN: '> 30400' })).toBe('JOB Other and LOAN > 30400');
  expect(placeOf({ JOB: 'Other', 'any-missing': 'yes' })).toBe('JOB Other and an input is missing');
  expect([placeOf({ 'any-missing': 'no' }), placeOf({ 'any-missing': 'other' })]).toEqual([
    'no input is missing',
    'any-missing other',
  ]);
});

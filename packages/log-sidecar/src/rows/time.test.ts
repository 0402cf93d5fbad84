import { iso } from '@fairway/core';
import { expect, test } from 'vitest';
import { readTime, readTimeMapping, spread } from './time.ts';

test.each([
  ['2025-03-01', '2025-03-01T00:00:00.000Z'],
  ['2025-03-01T09:30', '2025-03-01T09:30:00.000Z'],
  ['2025-03-01 09:30:15', '2025-03-01T09:30:15.000Z'],
  ['2025-03-01T09:30:15.25+01:00', '2025-03-01T08:30:15.250Z'],
  ['2025-03-01T09:30:15.123456z', '2025-03-01T09:30:15.123Z'],
  [' 1740821415 ', '2025-03-01T09:30:15.000Z'],
  [1_740_821_415.5, '2025-03-01T09:30:15.500Z'],
  ['1740821415250', '2025-03-01T09:30:15.250Z'],
])('%s is %s', (given, expected) => {
  expect(iso(readTime(given) ?? 0)).toBe(expected);
});

test.each(['', '2025', '20250301', '01.03.2025', '03/01/2025', '2025-02-30', '2025-13-01', '2025-03-01T25:00', true])(
  '%s is no time',
  (given) => {
    expect(readTime(given)).toBeUndefined();
  },
);

test('a column, or a period over which rows are spread', () => {
  expect(readTimeMapping('day')).toEqual({ column: 'day' });
  const period = readTimeMapping('2025-01-01..2025-01-02') as { from: number; to: number };
  expect([0, 1, 2, 3].map((index) => iso(spread(period, index, 4)).slice(11, 13))).toEqual(['00', '06', '12', '18']);
  expect(() => readTimeMapping('2025-01-02..2025-01-01')).toThrow(/no period.*the earlier one first/);
});

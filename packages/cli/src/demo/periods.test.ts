import { expect, test } from 'vitest';
import { lastQuarters } from './periods.ts';

test('the last quarters that have ended, oldest first, across a year', () => {
  const quarters = lastQuarters(Date.UTC(2026, 10, 22), 5);
  expect(quarters.map(({ period }) => period)).toEqual(['2025Q3', '2025Q4', '2026Q1', '2026Q2', '2026Q3']);
  expect(
    quarters
      .map(({ start, end }) => [new Date(start).toISOString().slice(0, 10), new Date(end).toISOString().slice(0, 10)])
      .at(-1),
  ).toEqual(['2026-07-01', '2026-10-01']);
  for (const [i, { start }] of quarters.entries()) if (i > 0) expect(start).toBe(quarters[i - 1]?.end);
});

test('a quarter that ends this instant has ended', () => {
  expect(lastQuarters(Date.UTC(2026, 0, 1), 1)[0]?.period).toBe('2025Q4');
});

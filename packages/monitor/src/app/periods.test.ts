import { expect, test } from 'vitest';
import { periodAt } from './periods.ts';

test.each([
  ['hour', '2026-11-22T10:00:00.000Z', '2026-11-22T10', '2026-11-22T11:00:00.000Z'],
  ['day', '2026-12-31T00:00:00.000Z', '2026-12-31', '2027-01-01T00:00:00.000Z'],
  ['week', '2026-12-28T00:00:00.000Z', '2026-W53', '2027-01-04T00:00:00.000Z'],
  ['week', '2024-12-30T00:00:00.000Z', '2025-W01', '2025-01-06T00:00:00.000Z'],
  ['month', '2024-02-01T00:00:00.000Z', '2024-02', '2024-03-01T00:00:00.000Z'],
  ['quarter', '2026-10-01T00:00:00.000Z', '2026Q4', '2027-01-01T00:00:00.000Z'],
] as const)('a %s from %s', (every, start, period, end) => {
  expect(periodAt(every, start)).toEqual({ period, start, end });
});

import { iso, type Window } from '@fairway/core';
import type { PeriodLength } from '../policy/schema.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The half-open UTC period that begins at `start` (which must be the start of one), with its name. */
export function periodAt(every: PeriodLength, start: string): Pick<Window, 'period' | 'start' | 'end'> {
  const from = new Date(start);
  return { period: NAMES[every](from), start: iso(from.getTime()), end: iso(endOf(every, from)) };
}

function endOf(every: PeriodLength, from: Date): number {
  const months = { month: 1, quarter: 3 } as const;
  const fixed = { hour: HOUR_MS, day: DAY_MS, week: 7 * DAY_MS } as const;
  if (every === 'month' || every === 'quarter') {
    return Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months[every], 1);
  }
  return from.getTime() + fixed[every];
}

const NAMES: Readonly<Record<PeriodLength, (from: Date) => string>> = {
  hour: (from) => from.toISOString().slice(0, 13),
  day: (from) => from.toISOString().slice(0, 10),
  week: weekName,
  month: (from) => from.toISOString().slice(0, 7),
  quarter: (from) => `${from.getUTCFullYear()}Q${Math.floor(from.getUTCMonth() / 3) + 1}`,
};

/** ISO 8601 week of its Monday: the year is that of the week's Thursday. */
function weekName(monday: Date): string {
  const thursday = new Date(monday.getTime() + 3 * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

import { FairwayError, iso } from '@fairway/core';

/** Business time: of a column, or spread evenly over a period, ms. */
export type TimeMapping = { readonly column: string } | { readonly from: number; readonly to: number };

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s?([Zz]|[+-]\d{2}:\d{2})?)?$/;
const SECONDS = /^\d{9,10}(?:\.\d+)?$/;
const MILLISECONDS = /^\d{12,13}$/;

/** What {@link readTime} takes, in words. */
export const TIMES =
  'a date (2025-03-01), a time (2025-03-01T09:30:00+01:00; UTC where no offset is given), seconds since 1970 (9 or 10 digits) or milliseconds (12 or 13)';

/** ms since 1970, or undefined when the value is none of {@link TIMES}. */
export function readTime(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  if (SECONDS.test(text)) return Math.round(Number(text) * 1000);
  if (MILLISECONDS.test(text)) return Number(text);
  const [, date, time = '00:00', offset = 'Z'] = TIME.exec(text) ?? [];
  if (date === undefined) return undefined;
  // The 30th of February would be read as the 2nd of March.
  const day = Date.parse(`${date}T00:00Z`);
  if (Number.isNaN(day) || iso(day).slice(0, 10) !== date) return undefined;
  const ms = Date.parse(`${date}T${time}${offset.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** `COL` or `FROM..TO` of `--time`. */
export function readTimeMapping(text: string): TimeMapping {
  const [first = '', second, ...more] = text.split('..');
  if (second === undefined || more.length > 0) return { column: text };
  const [from, to] = [readTime(first), readTime(second)];
  if (from !== undefined && to !== undefined && from < to) return { from, to };
  throw new FairwayError(
    'input.invalid',
    `--time ${text} is no period: it needs two times, the earlier one first, each ${TIMES}.`,
  );
}

/** Time of row `index` of `total` when rows are spread over `[from, to)`. */
export const spread = ({ from, to }: { from: number; to: number }, index: number, total: number): number =>
  from + Math.floor(((to - from) * index) / total);

/** A calendar quarter in UTC, half-open. */
export type Quarter = { readonly period: string; readonly start: number; readonly end: number };

/** The last `count` calendar quarters that have ended before `now`, oldest first. */
export function lastQuarters(now: number, count: number): Quarter[] {
  const date = new Date(now);
  const current = date.getUTCFullYear() * 4 + Math.floor(date.getUTCMonth() / 3);
  return Array.from({ length: count }, (_, i) => quarter(current - count + i));
}

function quarter(index: number): Quarter {
  const year = Math.floor(index / 4);
  const first = (index % 4) * 3;
  return { period: `${year}Q${(index % 4) + 1}`, start: Date.UTC(year, first), end: Date.UTC(year, first + 3) };
}

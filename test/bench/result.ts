import { writeFileSync } from 'node:fs';

/** One promised number: what was measured, its bar, and whether it holds. */
export type Result = {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  readonly bar: number;
  readonly ok: boolean;
  readonly baseline?: number;
  readonly note?: string;
};

/** A value that must not exceed its bar. */
export const atMost = (id: string, value: number, unit: string, bar: number, note?: string): Result => ({
  id,
  value,
  unit,
  bar,
  ok: value <= bar,
  ...(note === undefined ? {} : { note }),
});

/** A value that must reach its bar. */
export const atLeast = (id: string, value: number, unit: string, bar: number, note?: string): Result => ({
  ...atMost(id, value, unit, bar, note),
  ok: value >= bar,
});

/** The middle of the sorted values; of an even number, the upper of the two. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Prints results as lines. */
export function print(results: readonly Result[]): void {
  for (const { id, value, unit, bar, ok, note } of results) {
    const end = note === undefined ? '' : `  ${note}`;
    console.log(`${ok ? 'ok    ' : 'MISSED'} ${id.padEnd(28)} ${value} ${unit} (bar ${bar})${end}`);
  }
}

/** Writes results where `--json FILE` says. */
export const write = (name: string, results: readonly Result[], file: string): void =>
  writeFileSync(file, `${JSON.stringify({ name, results }, undefined, 2)}\n`);

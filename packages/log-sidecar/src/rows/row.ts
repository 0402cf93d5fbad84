import type { TextRow } from '@fairway/core';
import { type Mapping, readScored, type Scored } from './mapping.ts';

/** One row by column name: text of a CSV, values of JSON; or why it cannot be read. */
export type Row =
  | { readonly line: number; readonly cells: Readonly<Record<string, unknown>> }
  | { readonly line: number; readonly problem: string };

/** A row of a CSV by the names of its header. */
export function namedRow(names: readonly string[], row: TextRow): Row {
  const { line, cells } = row;
  if (row.problem !== undefined) return { line, problem: row.problem };
  if (cells.length !== names.length) return { line, problem: `${cells.length} cells for ${names.length} columns` };
  return { line, cells: Object.fromEntries(names.map((name, index) => [name, cells[index]])) };
}

/** A line of JSON Lines. */
export function jsonRow(line: number, text: string): Row {
  try {
    const cells: unknown = JSON.parse(text);
    if (cells !== null && typeof cells === 'object' && !Array.isArray(cells)) {
      return { line, cells: cells as Record<string, unknown> };
    }
  } catch {
    // Said below; the parser's own words quote the row.
  }
  return { line, problem: 'this line is no JSON object' };
}

export type Usable =
  | { readonly line: number; readonly scored: Scored }
  | { readonly line: number; readonly problem: string };

/** A row by its mapping. */
export function usable(row: Row, mapping: Mapping): Usable {
  const { line } = row;
  if ('problem' in row) return row;
  const scored = readScored(row.cells, mapping);
  return typeof scored === 'string' ? { line, problem: scored } : { line, scored };
}

const FOREIGN: ReadonlyArray<readonly [string, string]> = [
  ['1f8b', 'compressed by gzip: unpack it first'],
  ['504b0304', 'a zip or an Excel workbook: export it as CSV'],
  ['28b52ffd', 'compressed by zstd: unpack it first'],
  ['425a68', 'compressed by bzip2: unpack it first'],
  ['fd377a58', 'compressed by xz: unpack it first'],
  ['fffe', 'UTF-16: save it as UTF-8'],
  ['feff', 'UTF-16: save it as UTF-8'],
];

/** What a file is by its first bytes when it is no UTF-8 text, and what to do about it. */
export function foreignKind(bytes: Buffer): string | undefined {
  const start = bytes.toString('hex', 0, 4);
  return FOREIGN.find(([magic]) => start.startsWith(magic))?.[1];
}

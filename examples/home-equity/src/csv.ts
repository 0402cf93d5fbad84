import { readFileSync } from 'node:fs';
import { cellText, FairwayError } from '@fairway/core';
import { CsvError, parse } from 'csv-parse/sync';
import type { Loan } from './columns.ts';
import { CATEGORICAL, INPUTS, NUMERIC, TARGET } from './columns.ts';

/** A data row: its cells by column name and its line number in the file. */
export type Row = { readonly line: number; readonly cells: Readonly<Record<string, string>> };

/**
 * Reads loans from a CSV with the columns BAD and the twelve inputs in any order; further columns (scores) are ignored.
 * The delimiter, `,` or `;`, is taken from the header. Throws `input.invalid` with file, line and column.
 */
export function readLoans(file: string): Loan[] {
  const rows = parseRows(file, readText(file), [TARGET, ...INPUTS]);
  return rows.map((row) => toLoan(file, row));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new FairwayError('input.invalid', `There is no file ${file}; check the path.`);
    if (code === 'EISDIR') throw new FairwayError('input.invalid', `${file} is a folder; name a CSV file in it.`);
    throw error;
  }
}

/** Rows of a CSV text that has all of `required` in its header. */
export function parseRows(file: string, text: string, required: readonly string[]): Row[] {
  const header = text.slice(0, Math.max(text.search(/\r?\n/), 0)).replace(/^\uFEFF/, '');
  const delimiter = header.includes(';') ? ';' : ',';
  const missing = required.filter((name) => !header.split(delimiter).map(unquoted).includes(name));
  if (missing.length > 0) {
    throw new FairwayError(
      'input.invalid',
      `${file}, line 1: the header lacks ${missing.join(', ')}; add the missing columns.`,
    );
  }
  const records = parseRecords(file, text, delimiter);
  if (records.length === 0)
    throw new FairwayError('input.invalid', `${file} has a header but no rows; add data below it.`);
  return records.map(({ record, info }) => ({ line: info.lines, cells: record }));
}

const unquoted = (name: string): string => name.trim().replace(/^"(.*)"$/, '$1');

type Parsed = { record: Record<string, string>; info: { lines: number } };

function parseRecords(file: string, text: string, delimiter: string): Parsed[] {
  try {
    const columns = (names: string[]) => names.map(unquoted);
    return parse(text, { bom: true, columns, delimiter, info: true, skip_empty_lines: true }) as unknown as Parsed[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new FairwayError('input.invalid', `${file} is not a well-formed CSV: ${error.message}.`, { cause: error });
  }
}

/** The loan in a row. Missing cells become null; a missing outcome is an error. */
export function toLoan(file: string, { line, cells }: Row): Loan {
  const fail = (column: string, wanted: string): never => {
    throw new FairwayError(
      'input.invalid',
      `${file}, line ${line}, column ${column}: ${JSON.stringify((cells[column] ?? '').slice(0, 40))} is not ${wanted}; correct the cell or leave it empty where it is missing.`,
    );
  };
  const number = (column: string): number | null => {
    const text = cellText(cells[column] ?? '');
    if (text === null) return null;
    const value = Number(text);
    return Number.isFinite(value) ? value : fail(column, 'a number');
  };
  const bad = number(TARGET);
  return {
    ...(Object.fromEntries(NUMERIC.map((name) => [name, number(name)])) as Record<
      (typeof NUMERIC)[number],
      number | null
    >),
    ...(Object.fromEntries(CATEGORICAL.map((name) => [name, cellText(cells[name] ?? '')])) as Record<
      (typeof CATEGORICAL)[number],
      string | null
    >),
    BAD: bad === 0 || bad === 1 ? bad : fail(TARGET, '0 or 1'),
  };
}

import { createHash } from 'node:crypto';
import { type ByteRow, cellText, DelimitedBytes, detectDelimiter, FairwayError } from '@fairway/core';
import type { SasColumn } from './sas-names.ts';

/** One row, a cell for each column; null where it is missing. */
export type SasCells = ReadonlyArray<number | string | null>;

/** What was in the training data, once all of it is read. */
export type TrainingFound = {
  readonly rows: number;
  readonly labelled: number;
  /** Of each column with such cells: how many hold text where a number is declared, and became NULL. */
  readonly unreadable: Readonly<Record<string, number>>;
  /** sha256 of the bytes. */
  readonly source: string;
};

export type TrainingRows = {
  /** Rows as they come, one piece of the body at a time. To be read once, to its end. */
  readonly batches: AsyncIterable<readonly SasCells[]>;
  found(): TrainingFound;
};

const WHAT = 'The training data';
/** A header is looked for in so many bytes. */
const LONGEST_HEADER = 1024 * 1024;

/**
 * Rows of a CSV with a header under the columns of a performance table; other columns are passed over. Throws `input.invalid`
 * for a column that is not there, a row of another length, a target that is none, no rows or no target at all.
 */
export function trainingRows(
  columns: readonly SasColumn[],
  body: AsyncIterable<Uint8Array>,
  delimiter: string | undefined,
): TrainingRows {
  const hash = createHash('sha256');
  const count = { rows: 0, labelled: 0, unreadable: {} as Record<string, number> };
  let batch: SasCells[] = [];
  let places: readonly number[] | undefined;
  let width = 0;
  const take = (row: ByteRow): void => {
    if (places === undefined) {
      [places, width] = [placesOf(columns, row), row.cells];
      return;
    }
    checkRow(row, width);
    const cells = columns.map((column, index) => cellOf(column, row, places?.[index] ?? -1, count.unreadable));
    count.rows++;
    if (columns.some(({ from }, index) => from.kind === 'label' && cells[index] !== null)) count.labelled++;
    batch.push(cells);
  };
  async function* batches(): AsyncGenerator<readonly SasCells[]> {
    let reader: DelimitedBytes | undefined;
    for await (const chunk of withHeader(body)) {
      hash.update(chunk);
      reader ??= new DelimitedBytes(WHAT, delimiter ?? detectDelimiter(chunk.toString('utf8')), take);
      reader.push(chunk);
      yield batch;
      batch = [];
    }
    reader?.end();
    requireRows(count);
    yield batch;
  }
  return { batches: batches(), found: () => ({ ...count, source: hash.copy().digest('hex') }) };
}

/** The first piece holds the whole first line, or as much as a line may have. */
async function* withHeader(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of body) {
    const piece: Buffer = head === undefined ? Buffer.from(chunk) : Buffer.concat([head, chunk]);
    if (head !== undefined && !piece.includes('\n') && piece.length < LONGEST_HEADER) head = piece;
    else {
      head = undefined;
      yield piece;
    }
  }
  if (head !== undefined && head.length > 0) yield head;
}

function placesOf(columns: readonly SasColumn[], header: ByteRow): number[] {
  const names = Array.from({ length: header.cells }, (_, cell) => header.text(cell).trim());
  const twice = columns.find(({ name }) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice !== undefined) {
    throw new FairwayError(
      'input.invalid',
      `${WHAT} has more than one column ${JSON.stringify(twice.name)}: rename one.`,
    );
  }
  const absent = columns.filter(({ name }) => !names.includes(name));
  if (absent.length === 0) return columns.map(({ name }) => names.indexOf(name));
  const scored = absent.some(({ from }) => from.kind === 'score' || from.kind === 'output');
  const mend = scored ? ' SAS needs what the model gave too: score the training data with this version first.' : '';
  const missing = absent.map(({ name, from }) => `${from.kind === 'label' ? 'target' : from.kind} ${name}`).join(', ');
  throw new FairwayError('input.invalid', `${WHAT} lacks ${missing}; there are: ${names.join(', ')}.${mend}`);
}

function checkRow({ line, cells, problem }: ByteRow, width: number): void {
  const wrong = problem ?? (cells === width ? undefined : `it has ${cells} cells, the header ${width}`);
  if (wrong !== undefined) throw new FairwayError('input.invalid', `${WHAT} cannot be read in line ${line}: ${wrong}.`);
}

function cellOf({ name, type, from }: SasColumn, row: ByteRow, at: number, unreadable: Record<string, number>) {
  if (from.kind === 'label' && from.event !== null) return targetOf(name, from.event, row, at);
  if (type === 'varchar') return cellText(row.text(at));
  const value = row.number(at);
  if (Number.isFinite(value)) return value;
  const text = cellText(row.text(at));
  if (text === 'true' || text === 'false') return text === 'true' ? 1 : 0;
  if (text !== null) unreadable[name] = (unreadable[name] ?? 0) + 1;
  return null;
}

function targetOf(name: string, event: string, row: ByteRow, at: number): number | string | null {
  const text = cellText(row.text(at));
  if (text === null) return null;
  if (event !== '1') return text === event ? event : `NOT_${event}`;
  const value = row.number(at);
  if (value === 0 || value === 1) return value;
  throw new FairwayError(
    'input.invalid',
    `${WHAT} has ${JSON.stringify(text.slice(0, 50))} as ${name} in line ${row.line}: it must be 1 (the event), 0, or empty.`,
  );
}

function requireRows({ rows, labelled }: { readonly rows: number; readonly labelled: number }): void {
  if (rows === 0) throw new FairwayError('input.invalid', `${WHAT} has no rows: a CSV needs a header and rows.`);
  if (labelled === 0)
    throw new FairwayError('input.invalid', `${WHAT} has no row with a target: nothing can be compared.`);
}

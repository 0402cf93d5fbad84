import { DelimitedText, detectDelimiter, FairwayError, type TextRow } from '@fairway/core';
import type { GivenLabel } from '../app/labels-aim.ts';
import type { PlacedRefusal, Refusal } from '../app/labels.ts';
import { readLabel, refusal } from './labels.ts';

/** Labels that are booked in one transaction. */
export type LabelBatch = { readonly labels: readonly GivenLabel[]; readonly refused: readonly PlacedRefusal[] };

const BATCH = 10_000;
const LONGEST_LINE = 64 * 1024;

type Rows = { push(text: string): Array<GivenLabel | Refusal>; end(): Array<GivenLabel | Refusal> };

/**
 * Labels of a body of any length, a batch at a time. Holds one batch and one line. Throws `input.invalid` for a body that
 * cannot be labels at all; a row that cannot be used is refused with its reason, and the others still count.
 */
export async function* labelBatches(body: AsyncIterable<Uint8Array>, rows: Rows): AsyncGenerator<LabelBatch> {
  const decoder = new TextDecoder('utf-8');
  let batch: Array<GivenLabel | Refusal> = [];
  for await (const chunk of body) {
    batch.push(...rows.push(decoder.decode(chunk, { stream: true })));
    while (batch.length >= BATCH) yield partition(batch.splice(0, BATCH));
  }
  batch.push(...rows.push(decoder.decode()), ...rows.end());
  while (batch.length > 0) yield partition(batch.splice(0, BATCH));
}

function partition(rows: ReadonlyArray<GivenLabel | Refusal>): LabelBatch {
  const labels: GivenLabel[] = [];
  const refused: PlacedRefusal[] = [];
  for (const [place, row] of rows.entries()) {
    if ('reason' in row) refused.push({ ...row, place });
    else labels.push({ ...row, place });
  }
  return { labels, refused };
}

/** One JSON object in each line; empty lines are skipped. */
export function ndjsonRows(): Rows {
  let rest = '';
  let line = 0;
  const read = (text: string) => {
    line++;
    return text.trim() === '' ? [] : [readLine(text, line)];
  };
  return {
    push: (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) throw tooLong(line + 1);
      return lines.flatMap(read);
    },
    end: () => read(rest),
  };
}

function readLine(text: string, line: number): GivenLabel | Refusal {
  try {
    return readLabel(JSON.parse(text), line);
  } catch {
    return refusal(undefined, line, 'this line is no JSON');
  }
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

const COLUMNS: Readonly<Record<string, 'id' | 'correlationId' | 'label' | 'observedAt'>> = {
  id: 'id',
  correlationid: 'correlationId',
  label: 'label',
  observedat: 'observedAt',
};

/**
 * CSV with a header: columns `id` or `correlationId`, `label`, and `observedAt` where it is known, in any order, case and
 * with underscores; others are passed over. The delimiter is found in the header where none is given.
 */
export function csvRows(given?: string): Rows {
  let head = '';
  let reader: DelimitedText | undefined;
  let columns: ReadonlyArray<(typeof COLUMNS)[string] | undefined> | undefined;
  const take = (rows: readonly TextRow[]) =>
    rows.flatMap((row) => {
      if (columns !== undefined) return [readRow(row, columns)];
      columns = readHeader(row);
      return [];
    });
  const open = () => {
    reader = new DelimitedText('The body', given ?? detectDelimiter(head));
    return take(reader.push(head));
  };
  return {
    push: (text) => {
      if (reader !== undefined) return take(reader.push(text));
      head += text;
      if (head.length > LONGEST_LINE) return open();
      return head.includes('\n') ? open() : [];
    },
    end: () => [...(reader === undefined ? open() : []), ...take(reader?.end() ?? [])],
  };
}

function readHeader({ cells }: TextRow): ReadonlyArray<(typeof COLUMNS)[string] | undefined> {
  const columns = cells.map((cell) => COLUMNS[cell.trim().replaceAll('_', '').toLowerCase()]);
  const named = columns.filter((column) => column !== undefined);
  const key = named.includes('id') || named.includes('correlationId');
  if (key && named.includes('label') && new Set(named).size === named.length) return columns;
  throw new FairwayError(
    'input.invalid',
    `The header ${JSON.stringify(cells.join(', ').slice(0, 200))} cannot be used: name id or correlationId, and label, once each; observedAt is optional.`,
  );
}

function readRow(row: TextRow, columns: ReadonlyArray<(typeof COLUMNS)[string] | undefined>): GivenLabel | Refusal {
  const { line, cells, problem } = row;
  if (problem !== undefined) return refusal(undefined, line, problem);
  if (cells.length !== columns.length) {
    return refusal(undefined, line, `this line has ${cells.length} cells, the header ${columns.length}`);
  }
  const value: Record<string, unknown> = {};
  for (const [index, column] of columns.entries()) {
    const cell = cells[index]?.trim();
    if (column === undefined || cell === undefined || cell === '') continue;
    value[column] = column === 'label' && NUMBER.test(cell) ? Number(cell) : cell;
  }
  return readLabel(value, line);
}

const tooLong = (line: number): FairwayError =>
  new FairwayError(
    'input.invalid',
    `Line ${line} is longer than ${LONGEST_LINE} characters; one label stands in a line.`,
  );

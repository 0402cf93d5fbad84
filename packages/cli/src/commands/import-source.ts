import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { DelimitedText, detectDelimiter, FairwayError } from '@fairway/core';
import { foreignKind, jsonRow, namedRow, type Row } from '@fairway/log-sidecar';

/** A file of history. `delimiter` undefined: JSON Lines. */
export type Source = {
  readonly file: string;
  readonly delimiter: string | undefined;
  readonly columns: readonly string[];
  readonly bytes: number;
  readonly modified: number;
};

const HEAD_BYTES = 64 * 1024;
/** JSON objects may leave out what is missing: so many of them are asked for their names. */
const ROWS_FOR_NAMES = 1000;
const LONGEST_LINE = 1024 * 1024;

/** Looks at the beginning of a file: kind (JSON Lines begin with a brace), delimiter, names of the columns. */
export async function openSource(file: string, delimiter: string | undefined): Promise<Source> {
  const { bytes, modified } = await stamp(file);
  const text = textOf(file, await firstBytes(file));
  const isJson = text.trimStart().startsWith('{');
  const found = { file, delimiter: isJson ? undefined : (delimiter ?? detectDelimiter(text)), bytes, modified };
  const columns = isJson ? await jsonNames(found) : await headerNames(found);
  return { ...found, columns };
}

/** The rows, streamed: what is held is one piece of the file. A file that changes meanwhile is an error. */
export async function* readRows(
  source: Omit<Source, 'columns'>,
  onBytes: (bytes: Buffer) => void = () => {},
): AsyncGenerator<Row> {
  let names: readonly string[] | undefined;
  const { file, delimiter } = source;
  const reader = delimiter === undefined ? jsonLines(file) : new DelimitedText(file, delimiter);
  for await (const text of texts(file, onBytes)) {
    for (const row of text === undefined ? reader.end() : reader.push(text)) {
      if (delimiter === undefined) yield jsonRow(row.line, row.cells[0] ?? '');
      else if (names === undefined) names = row.cells.map((name) => name.trim());
      else yield namedRow(names, row);
    }
  }
  const { bytes, modified } = await stamp(file);
  if (bytes === source.bytes && modified === source.modified) return;
  throw new FairwayError('input.invalid', `${file} was changed while it was read: run the import again.`);
}

type Line = { readonly line: number; readonly cells: readonly string[]; readonly problem?: string };

/** Lines, each as a row of one cell; empty ones are skipped. */
function jsonLines(file: string) {
  let rest = '';
  let line = 0;
  const rows = (lines: readonly string[]): Line[] => {
    const numbered = lines.map((text) => ({ line: ++line, cells: [text] }));
    return numbered.filter(({ cells: [text = ''] }) => text.trim() !== '');
  };
  return {
    push: (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) {
        throw new FairwayError(
          'input.invalid',
          `${file}, line ${line + lines.length + 1}: the line is longer than 1 MiB.`,
        );
      }
      return rows(lines);
    },
    end: () => rows([rest]),
  };
}

/** The text of a file piece by piece, then undefined. */
async function* texts(file: string, onBytes: (bytes: Buffer) => void): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    onBytes(chunk);
    yield decoded(file, () => decoder.decode(chunk, { stream: true }));
  }
  yield decoded(file, () => decoder.decode());
  yield undefined;
}

function decoded(file: string, decode: () => string): string {
  try {
    return decode();
  } catch {
    throw new FairwayError('input.invalid', `${file} is not UTF-8 text: save or convert it as UTF-8.`);
  }
}

async function headerNames(source: Omit<Source, 'columns'>): Promise<string[]> {
  const { file, delimiter = ',' } = source;
  const reader = new DelimitedText(file, delimiter);
  for await (const text of texts(file, () => {})) {
    const header = (text === undefined ? reader.end() : reader.push(text))[0];
    if (header !== undefined) return checkNames(file, header.cells);
  }
  throw new FairwayError('input.invalid', `${file} is empty: a CSV needs a header and rows.`);
}

function checkNames(file: string, header: readonly string[]): string[] {
  const names = header.map((name) => name.trim());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw new FairwayError('input.invalid', `${file} has more than one column ${JSON.stringify(twice)}: rename one.`);
}

async function jsonNames(source: Omit<Source, 'columns'>): Promise<string[]> {
  const names = new Set<string>();
  let rows = 0;
  for await (const row of readRows(source)) {
    if ('cells' in row) for (const name of Object.keys(row.cells)) names.add(name);
    if (++rows === ROWS_FOR_NAMES) break;
  }
  return [...names];
}

async function stamp(file: string): Promise<{ bytes: number; modified: number }> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new FairwayError('input.invalid', `There is no file ${file}; check the path.`);
  });
  if (found.isFile()) return { bytes: found.size, modified: found.mtimeMs };
  throw new FairwayError('input.invalid', `${file} is no file: the import reads it more than once.`);
}

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function textOf(file: string, bytes: Buffer): string {
  const what = foreignKind(bytes);
  if (what === undefined) return new TextDecoder().decode(bytes);
  throw new FairwayError('input.invalid', `${file} is ${what}.`);
}

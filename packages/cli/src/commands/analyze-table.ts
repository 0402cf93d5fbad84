import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { DelimitedBytes, detectDelimiter, FairwayError } from '@fairway/core';
import { type Column, type Kind, type Plan, type Sight, Tally } from '@fairway/monitor';

const CHUNK = 1024 * 1024;
const HEAD = 64 * 1024;

/** What is asked of a file's columns. Roles that the file does not have are left out of its plan. */
export type Roles = {
  readonly label: string | undefined;
  readonly score: string | undefined;
  readonly ignore: readonly string[];
  readonly delimiter: string | undefined;
};

export type Head = { readonly file: string; readonly delimiter: string; readonly columns: readonly string[] };

/** Delimiter and column names of a file; refuses what cannot be a table. */
export async function readHead(file: string, delimiter: string | undefined): Promise<Head> {
  const text = textOf(file, await firstBytes(file));
  if (text.trim() === '') throw new FairwayError('input.invalid', `${file} is empty: it needs a header and rows.`);
  const used = delimiter ?? detectDelimiter(text);
  const columns = headerOf(file, text, used);
  if (columns.length < 2) {
    const seen = JSON.stringify((text.split('\n', 1)[0] ?? '').trim().slice(0, 60));
    throw new FairwayError(
      'input.invalid',
      `${file} has one column only, ${seen}: name its delimiter by --delimiter (such as ';' or tab), and check that it has a header.`,
    );
  }
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice === undefined) return { file, delimiter: used, columns };
  throw new FairwayError('input.invalid', `${file} has more than one column ${JSON.stringify(twice)}: rename one.`);
}

function headerOf(file: string, text: string, delimiter: string): string[] {
  let columns: string[] | undefined;
  const reader = new DelimitedBytes(file, delimiter, (row) => {
    columns ??= Array.from({ length: row.cells }, (_, cell) => row.text(cell).trim());
  });
  const newline = text.indexOf('\n');
  reader.push(Buffer.from(newline < 0 ? `${text}\n` : text.slice(0, newline + 1)));
  return columns ?? [];
}

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await opened(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function opened(file: string): Promise<FileHandle> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new FairwayError('input.invalid', `There is no file ${file}; check the path.`);
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new FairwayError('input.invalid', `${file} is no file.`);
}

const FOREIGN: ReadonlyArray<readonly [magic: string, what: string]> = [
  ['1f8b', 'compressed by gzip: unpack it first'],
  ['504b0304', 'a zip or an Excel workbook: export it as CSV'],
  ['50415231', 'a Parquet file: export it as CSV'],
  ['fffe', 'UTF-16: save it as UTF-8'],
  ['feff', 'UTF-16: save it as UTF-8'],
];

function textOf(file: string, bytes: Buffer): string {
  const start = bytes.toString('hex', 0, 4);
  const [, what] = FOREIGN.find(([magic]) => start.startsWith(magic)) ?? [];
  if (what !== undefined) throw new FairwayError('input.invalid', `${file} is ${what}.`);
  return new TextDecoder().decode(bytes);
}

export type Read = {
  readonly tally: Tally;
  readonly sha256: string;
  /** Columns that one text made a category: the first such text, by column. */
  readonly turned: ReadonlyMap<string, Sight>;
};

/**
 * A baseline: every column but label, score and the ignored ones is a variable; numeric when all its non-missing cells are
 * finite numbers, which the whole file must say. Each column is taken for numeric until a text turns it; then it is read anew.
 */
export async function readBaseline(head: Head, roles: Roles, newColumn: () => Column): Promise<Read> {
  const turned = new Map<string, Sight>();
  for (;;) {
    const kindOf = (name: string): Kind => (turned.has(name) ? 'category' : 'numeric');
    const tally = new Tally(planOf(head, roles, namesOf(head, roles), kindOf), newColumn);
    const sha256 = await readInto(tally, head, () => tally.turned.size > 0);
    for (const [name, sight] of tally.turned) turned.set(name, sight);
    if (tally.turned.size === 0) return { tally, sha256, turned };
  }
}

/** A window: the baseline's variables, of the baseline's kinds. */
export async function readWindow(
  head: Head,
  roles: Roles,
  kinds: ReadonlyMap<string, Kind>,
  newColumn: () => Column,
): Promise<Tally> {
  const tally = new Tally(
    planOf(head, roles, [...kinds.keys()], (name) => kinds.get(name) ?? 'category'),
    newColumn,
  );
  await readInto(tally, head, () => false);
  return tally;
}

const namesOf = ({ columns }: Head, { label, score, ignore }: Roles): string[] =>
  columns.filter((name) => name !== label && name !== score && !ignore.includes(name));

function planOf(
  { file, columns }: Head,
  { label, score }: Roles,
  names: readonly string[],
  kindOf: (name: string) => Kind,
): Plan {
  const role = (name: string | undefined) => {
    const cell = name === undefined ? -1 : columns.indexOf(name);
    return name === undefined || cell < 0 ? undefined : { name, cell };
  };
  const variables = names.flatMap((name) => {
    const cell = columns.indexOf(name);
    return cell < 0 ? [] : [{ name, cell, kind: kindOf(name) }];
  });
  const lacks = [label, score].filter((name) => name !== undefined && !columns.includes(name)) as string[];
  return { file, width: columns.length, variables, label: role(label), score: role(score), lacks };
}

/** Feeds the rows to a tally until it has seen enough; answers the sha256 of the bytes read. */
async function readInto(tally: Tally, { file, delimiter }: Head, isEnough: () => boolean): Promise<string> {
  const hash = createHash('sha256');
  let isHeader = true;
  const reader = new DelimitedBytes(file, delimiter, (row) => {
    if (!isHeader) tally.take(row);
    isHeader = false;
  });
  const handle = await opened(file);
  const buffer = Buffer.allocUnsafe(CHUNK);
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK);
      if (bytesRead === 0) break;
      const bytes = buffer.subarray(0, bytesRead);
      hash.update(bytes);
      reader.push(bytes);
      if (isEnough()) return '';
    }
  } finally {
    await handle.close();
  }
  reader.end();
  if (tally.rows > 0 || isEnough()) return hash.digest('hex');
  throw new FairwayError('input.invalid', `${file} has a header but no rows.`);
}

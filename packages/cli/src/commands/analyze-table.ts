import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type ByteRow, DelimitedBytes, detectDelimiter, FairwayError } from '@fairway/core';
import { InvalidArgumentError } from 'commander';
import {
  type Column,
  type Kind,
  type Plan,
  type SegmentInput,
  SegmentTally,
  type Sight,
  Tally,
} from '@fairway/monitor';

const CHUNK = 1024 * 1024;
const HEAD = 64 * 1024;
/** The matrix of predicted and true classes has a cell for each pair. */
const MOST_CLASSES = 200;

/** What is asked of a file's columns. Roles that the file does not have are left out of its plan. */
export type Roles = {
  readonly label: string | undefined;
  readonly score: string | undefined;
  readonly ignore: readonly string[];
  readonly delimiter: string | undefined;
  /** The label is a number, not 0 or 1. */
  readonly isNumber?: boolean;
  /** The label is one of these; `score` is then a column for each, by commas, or one that names the predicted class. */
  readonly classes?: readonly string[] | undefined;
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
  if (bytes.includes(0)) throw new FairwayError('input.invalid', `${file} is no text: give it as CSV in UTF-8.`);
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
    const tally = new Tally(planOf(head, roles, inputsOf(head, roles), kindOf), newColumn);
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
  segments: ReadonlyArray<readonly SegmentInput[]> = [],
): Promise<{ readonly tally: Tally; readonly segments: readonly SegmentTally[] }> {
  const tally = new Tally(
    planOf(head, roles, [...kinds.keys()], (name) => kinds.get(name) ?? 'category'),
    newColumn,
  );
  const counted = segments.map((variables) => new SegmentTally(tally, variables));
  await readInto(tally, head, () => false, counted);
  return { tally, segments: counted };
}

/** Every column that has no other role. */
export const inputsOf = (
  { columns }: Head,
  { label, ignore, ...scored }: Partial<Pick<Roles, 'label' | 'score' | 'classes'>> & Pick<Roles, 'ignore'>,
): string[] => {
  const others = [label, ...ignore, ...scoreColumns(scored)];
  return columns.filter((name) => !others.includes(name));
};

/** The columns that hold what the model said: several only where there are classes. */
export function scoreColumns({ score, classes }: Partial<Pick<Roles, 'score' | 'classes'>>): string[] {
  if (score === undefined) return [];
  const columns = classes === undefined ? [score] : score.split(',').map((name) => name.trim());
  if (classes === undefined || columns.length === 1 || columns.length === classes.length) return columns;
  throw new FairwayError(
    'input.invalid',
    `There are ${classes.length} classes (--classes) and ${columns.length} columns (${columns.join(', ')}): name one column for each class's probability, in their order, or one that holds the predicted class.`,
  );
}

/** Names of classes as an option gives them, by commas. */
export function classNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (
    names.length >= 2 &&
    names.length <= MOST_CLASSES &&
    !names.includes('') &&
    new Set(names).size === names.length
  ) {
    return names;
  }
  throw new InvalidArgumentError(`It must be 2 to ${MOST_CLASSES} different names, parted by commas.`);
}

function planOf({ file, columns }: Head, roles: Roles, names: readonly string[], kindOf: (name: string) => Kind): Plan {
  const { label, score, isNumber = false, classes } = roles;
  const role = (name: string | undefined) => {
    const cell = name === undefined ? -1 : columns.indexOf(name);
    return name === undefined || cell < 0 ? undefined : { name, cell };
  };
  const variables = names.flatMap((name) => {
    const cell = columns.indexOf(name);
    return cell < 0 ? [] : [{ name, cell, kind: kindOf(name) }];
  });
  const scores = scoreColumns(roles);
  const lacks = [label, ...scores].filter((name) => name !== undefined && !columns.includes(name)) as string[];
  const truth = role(label);
  const common = { file, width: columns.length, variables, label: truth && { ...truth, isNumber }, lacks };
  if (classes === undefined) return { ...common, score: role(score) };
  const found = scores.map(role).filter((one) => one !== undefined);
  // A part of the probabilities says nothing.
  return { ...common, score: undefined, classes: { classes, columns: found.length === scores.length ? found : [] } };
}

/**
 * Whether labels are numbers, by the first 64 KiB: one is no whole number, or one is neither 0 nor 1 where scores are no
 * probabilities either. A 2 among labels beside probabilities is a mistake, which is told of when it is read.
 */
export async function hasNumberLabels(head: Head, label: string, score: string | undefined): Promise<boolean> {
  const [labels, scores]: [number[], number[]] = [[], []];
  const at = (name: string | undefined) => (name === undefined ? -1 : head.columns.indexOf(name));
  const [labelCell, scoreCell] = [at(label), at(score)];
  if (labelCell < 0) return false;
  const reader = new DelimitedBytes(head.file, head.delimiter, (row) => {
    if (row.problem !== undefined || row.cells !== head.columns.length) return;
    labels.push(row.number(labelCell));
    if (scoreCell >= 0) scores.push(row.number(scoreCell));
  });
  const bytes = await firstBytes(head.file);
  reader.push(bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1));
  const [, ...given] = labels.map((value, index) => [value, scores[index] ?? Number.NaN] as const);
  const known = given.filter(([value]) => Number.isFinite(value));
  if (known.some(([value]) => !Number.isInteger(value))) return true;
  const isOdd = known.some(([value]) => value !== 0 && value !== 1);
  return isOdd && given.some(([, value]) => Number.isFinite(value) && (value < 0 || value > 1));
}

/** Feeds the rows to a tally until it has seen enough; answers the sha256 of the bytes read. */
/** Answers the sha256 of the bytes; nothing of use where it was `isEnough` before the end. */
async function readInto(
  tally: Tally,
  head: Head,
  isEnough: () => boolean,
  segments: readonly SegmentTally[] = [],
): Promise<string> {
  const take = (row: ByteRow) => {
    tally.take(row);
    for (const one of segments) one.take(row);
  };
  const sha256 = await eachRow(head, take, isEnough);
  if (tally.rows > 0 || isEnough()) return sha256;
  throw new FairwayError('input.invalid', `${head.file} has a header but no rows.`);
}

/** Hands over the rows below the header; the row is the same object every time. */
export async function eachRow(
  { file, delimiter }: Head,
  take: (row: ByteRow) => void,
  isEnough: () => boolean = () => false,
): Promise<string> {
  const hash = createHash('sha256');
  let isHeader = true;
  const reader = new DelimitedBytes(file, delimiter, (row) => {
    if (!isHeader) take(row);
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
  return hash.digest('hex');
}

import { detectDelimiter } from '@fairway/core';
import { foreignKind } from '../rows/row.ts';
import { type FileRecord, RecordReader } from './records.ts';
import { type ByteSource, hashOf } from './source.ts';
import { headerProblem, type Layout, requiredColumns, type TailMapping } from './table.ts';

/** What the first records of a file say. */
export type Beginning =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'foreign'; readonly what: string }
  | {
      readonly kind: 'complete';
      readonly head: { readonly bytes: number; readonly print: string };
      readonly layout: Layout;
      /** Where the rows begin: behind the header. */
      readonly offset: number;
    };

export type BeginningRules = {
  readonly mapping: TailMapping;
  /** Where it is not to be seen in the header. */
  readonly delimiter: string | undefined;
  readonly longest: number;
};

const CHUNK = 64 * 1024;
/** A head is the first rows, as far as they go within this. */
const HEAD_BYTES = 4096;

/**
 * Reads a file's beginning once enough is there to tell it from others: the header and a row of a CSV, a line of JSON.
 * `before`: how the same file, or one like it, was read until it was truncated. Who truncates seldom writes the header again, and may have
 * left half a line, so the layout stays unless a new header is seen.
 */
export async function readBeginning(
  source: ByteSource,
  rules: BeginningRules,
  before: Layout | undefined,
): Promise<Beginning> {
  const start = await source.read(0, CHUNK);
  const what = foreignKind(start);
  if (what !== undefined) return { kind: 'foreign', what };
  const text = start.toString('utf8').replace(/^\uFEFF/, '');
  if (text.trim() === '') return { kind: 'incomplete' };
  const isJson = text.trimStart().startsWith('{') || (before?.delimiter === null && !looksNamed(text, rules.mapping));
  const delimiter = isJson ? null : (before?.delimiter ?? rules.delimiter ?? detectDelimiter(text.trimStart()));
  const [first, second] = await firstRecords(source, delimiter, rules.longest);
  if (first === undefined) return { kind: 'incomplete' };
  const names = first.kind === 'text' && !isJson ? first.cells.map((name) => name.trim()) : [];
  const kept =
    !isJson && before?.columns && !isHeader(names, rules.mapping, before.columns) ? before.columns : undefined;
  const last = isJson || kept !== undefined ? first : second;
  if (last === undefined && start.length < HEAD_BYTES) return { kind: 'incomplete' };
  const bytes = Math.min(HEAD_BYTES, last?.end ?? HEAD_BYTES);
  const head = { bytes, print: hashOf(start.subarray(0, bytes)) };
  if (isJson) return { kind: 'complete', head, layout: { delimiter: null, columns: null }, offset: 0 };
  if (kept !== undefined) return { kind: 'complete', head, layout: { delimiter, columns: kept }, offset: 0 };
  return { kind: 'complete', head, layout: { delimiter, columns: names }, offset: first.end };
}

const looksNamed = (text: string, mapping: TailMapping): boolean =>
  requiredColumns(mapping).every((name) => text.split('\n', 1)[0]?.includes(name));

/** A header names columns: those that are needed, or one that the header before had. */
const isHeader = (names: readonly string[], mapping: TailMapping, before: readonly string[]): boolean =>
  headerProblem(names, mapping) === undefined ||
  names.some((name) => before.includes(name) || requiredColumns(mapping).includes(name));

/** The first two records that are not blank, as far as they are complete. */
async function firstRecords(source: ByteSource, delimiter: string | null, longest: number): Promise<FileRecord[]> {
  const reader = new RecordReader(delimiter ?? undefined, longest, 0);
  const found: FileRecord[] = [];
  for (let position = 0; found.length < 2; ) {
    const chunk = await source.read(position, CHUNK);
    if (chunk.length === 0) break;
    position += chunk.length;
    found.push(...reader.push(chunk).filter(({ kind }) => kind !== 'blank'));
  }
  return found;
}

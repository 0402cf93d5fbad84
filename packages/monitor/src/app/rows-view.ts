import { isUtf8 } from 'node:buffer';
import type { Scalar } from '@fairway/core';
import { type Json, put, storable, TOO_DEEP } from './read-json.ts';
import { type Cells, isBytes, isList } from './rows.ts';

/** What a profile reads of one row, and the row's JSON text for the queryable view (docs/contracts.md, "Records"). */
export type RowView = { readonly row: Readonly<Record<string, Scalar>>; readonly view: string };

/** A value whose text is longer is cut in the view, in characters: the bytes are kept beside it anyway. */
const MOST_CHARACTERS = 64 * 1024;
/** How much of it stays. */
const BEGINNING = 1024;
const DOLLAR = 0x24;
const REPLACED = '\uFFFD';

/**
 * A tensor of one element is its element. In the row, integers beyond 2^53, bytes and larger tensors are their text; in
 * the view everything that JSON cannot hold is tagged `{"$": kind, "value": text}`, so no text can be taken for it.
 * `sanitised`: something was replaced somewhere in the body that the cells are from.
 */
export function viewOf(cells: Cells, sanitised: boolean): RowView {
  const plain = sanitised ? undefined : plainRow(cells);
  if (plain !== undefined) return { row: plain, view: JSON.stringify(plain) };
  const flags = new Set<string>();
  const row: Record<string, Scalar> = {};
  const view: Record<string, unknown> = {};
  for (const name of Object.keys(cells)) {
    const cell = sole(cells[name] as Json);
    const seen = cut(tagged(cell, flags), flags);
    put(row, name, scalarOf(cell, seen));
    put(view, name.charCodeAt(0) === DOLLAR ? `$${name}` : name, seen);
  }
  if (sanitised && JSON.stringify(view).includes(REPLACED)) flags.add('sanitised');
  if (flags.size > 0) view['$'] = [...flags];
  return { row, view: JSON.stringify(view) };
}

/** The row when every value is what JSON holds as it is; then it is its own view. */
function plainRow(cells: Cells): Readonly<Record<string, Scalar>> | undefined {
  let boxed = false;
  for (const name in cells) {
    let cell = cells[name] as Json;
    if (typeof cell === 'object' && cell !== null) {
      cell = sole(cell);
      boxed = true;
    }
    if (name.charCodeAt(0) === DOLLAR || !isPlain(cell)) return undefined;
  }
  if (!boxed) return cells as Record<string, Scalar>;
  const row: Record<string, Scalar> = {};
  for (const name in cells) put(row, name, sole(cells[name] as Json) as Scalar);
  return row;
}

function isPlain(cell: Json): boolean {
  if (typeof cell === 'number') return Number.isFinite(cell);
  if (typeof cell === 'string') return cell.length <= MOST_CHARACTERS;
  return typeof cell === 'boolean' || cell === null;
}

const sole = (cell: Json): Json => (isList(cell) && cell.length === 1 ? sole(cell[0] as Json) : cell);

function scalarOf(cell: Json, seen: unknown): Scalar {
  if (typeof cell === 'bigint') return String(cell);
  if (typeof cell !== 'object' || cell === null) return cell;
  return !isList(cell) && isBytes(cell) ? bytesOf(cell.b64).value : JSON.stringify(seen);
}

/** `value` is a text, or of an object its members, each as the view shows it. */
type Tag = { readonly $: string; readonly value?: unknown };

/** A value as the view shows it: JSON's own, a list of such, or a tag. */
function tagged(cell: Json, flags: Set<string>): unknown {
  if (typeof cell === 'bigint') return { $: 'int64', value: String(cell) } satisfies Tag;
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell : ({ $: String(cell) } satisfies Tag);
  if (typeof cell !== 'object' || cell === null) return cell;
  if (isList(cell)) return cell.map((item) => tagged(item, flags));
  if (cell === TOO_DEEP) {
    flags.add('truncated');
    return { $: 'too_deep' } satisfies Tag;
  }
  if (!isBytes(cell)) return { $: 'object', value: members(cell, flags) } satisfies Tag;
  const { sanitised, ...tag } = bytesOf(cell.b64);
  if (sanitised) flags.add('sanitised');
  return tag;
}

function members(cell: Cells, flags: Set<string>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(cell)) put(found, name, tagged(cell[name] as Json, flags));
  return found;
}

type Bytes = Tag & { readonly value: string; readonly sanitised: boolean };

/** Bytes that are UTF-8 as their text, others as base64. */
function bytesOf(b64: string): Bytes {
  const bytes = Buffer.from(b64, 'base64');
  if (!isUtf8(bytes)) return { $: 'base64', value: bytes.toString('base64'), sanitised: false };
  const text = bytes.toString('utf8');
  const value = storable(text);
  return { $: 'bytes', value, sanitised: value !== text };
}

function cut(seen: unknown, flags: Set<string>): unknown {
  if (typeof seen !== 'string' && (typeof seen !== 'object' || seen === null)) return seen;
  const text = typeof seen === 'string' ? seen : JSON.stringify(seen);
  if (text.length <= MOST_CHARACTERS) return seen;
  flags.add('truncated');
  return { $: 'truncated', value: storable(text.slice(0, BEGINNING)) } satisfies Tag;
}

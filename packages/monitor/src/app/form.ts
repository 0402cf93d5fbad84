import { readNumber, type Scalar, type SeenTexts } from '@fairway/core';
import { Look, QUOTE } from './look.ts';
import type { RowView } from './rows-view.ts';
import type { TextWriter } from './text-writer.ts';
import { type Place, type Viewed, viewed } from './viewed.ts';

/**
 * The bodies of one caller look alike: the same keys in the same order, white space too, around other numbers and words. A
 * form is that look, and for each instance the place of the values in its view.
 */
export type Form = { readonly look: Look; readonly rows: readonly RowForm[] };

/**
 * One side of an instance: its names, which values are theirs, and the text of its view around these. `blank`: an object with
 * these names, which is copied in a third of the time that it takes to give one a name after the other.
 */
type RowForm = {
  readonly names: readonly string[];
  readonly blank: Readonly<Record<string, null>>;
  readonly values: readonly number[];
  readonly texts: readonly Viewed[];
};

/** A body with a mark for each value, and the look of all bodies that differ in these alone. */
export type Marked = { readonly body: Uint8Array; readonly look: Look };

/** What forms are read with: categories come again and again. */
export type Tools = { readonly seen: SeenTexts; readonly writer: TextWriter };

/** The mark of value 7 is `@~7~`: a text that no reader changes. */
const MARK = /^@~(\d+)~$/;
const MARK_START = '@~';
const MARKS_IN_VIEW = /"@~(\d+)~"/;

/** A string and whether it is a name, another scalar, or a bracket. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[^\s[\]{}:,"]+|[[\]{}]/gs;

/**
 * Marks what lies deeper than the root's own members, which (as the signature's name) say how the rest is read. `text`: one
 * character for each byte. undefined: it has no form.
 */
export function marked(text: string): Marked | undefined {
  if (text.includes(MARK_START)) return undefined;
  let [depth, at, body] = [0, 0, ''];
  const between: string[] = [];
  for (const found of text.matchAll(TOKEN)) {
    const [token, colon] = found;
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (colon === undefined && depth > 1) {
      between.push(text.slice(at, found.index));
      body += `${between.at(-1)}"${MARK_START}${between.length}~"`;
      at = found.index + token.length;
    }
  }
  const rest = text.slice(at);
  return { body: Buffer.from(body + rest, 'latin1'), look: new Look([...between, rest]) };
}

/** The form, once the tolerant reader has said where the marks come to lie; undefined where it made something else of one. */
export function formOf({ look }: Marked, seen: readonly RowView[]): Form | undefined {
  const rows: RowForm[] = [];
  for (const { row, view } of seen) {
    const names = Object.keys(row);
    const marks = names.map((name) => Number(MARK.exec(String(row[name]))?.[1]));
    // What lies between the marks, and each mark's number, in turns.
    const parts = view.split(MARKS_IN_VIEW);
    const order = parts.filter((_, index) => index % 2 === 1);
    if (names.includes('__proto__') || order.join() !== marks.join()) return undefined;
    const texts = parts.filter((_, index) => index % 2 === 0).map((text) => viewed(Buffer.from(text)));
    const blank = Object.fromEntries(names.map((name) => [name, null]));
    rows.push({ names, blank, values: marks.map((mark) => mark - 1), texts });
  }
  return { look, rows };
}

/** The rows of a body of this form; undefined: it is of another, or holds a number that JSON's readers do not agree on. */
export function readForm({ look, rows }: Form, body: Place, tools: Tools): readonly RowView[] | undefined {
  if (!look.matches(body)) return undefined;
  const read: RowView[] = [];
  for (const form of rows) {
    const row = readRow(form, look, body, tools);
    if (row === undefined) return undefined;
    read.push(row);
  }
  return read;
}

function readRow({ names, blank, values, texts }: RowForm, look: Look, body: Place, tools: Tools): RowView | undefined {
  const { seen, writer } = tools;
  const row: Record<string, Scalar> = { ...blank };
  writer.begin();
  writer.all(texts[0] as Viewed);
  for (let i = 0; i < names.length; i++) {
    const value = values[i] as number;
    const [start, end] = [look.starts[value] as number, look.ends[value] as number];
    const scalar = valueAt(body.bytes, start, end, seen);
    if (typeof scalar !== 'number' || isSpelled(body.bytes, start, end, scalar)) writer.bytes(body, start, end);
    else if (Math.abs(scalar) <= Number.MAX_SAFE_INTEGER) writer.text(String(scalar));
    else return undefined;
    row[names[i] as string] = scalar;
    writer.all(texts[i + 1] as Viewed);
  }
  return { row, view: writer.end() };
}

const NINE = 0x39;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;

/** A value of a {@link Look}. */
function valueAt(bytes: Buffer, start: number, end: number, seen: SeenTexts): Scalar {
  const first = bytes[start] as number;
  if (first === QUOTE) return seen.text(bytes, start + 1, end - 1);
  if (first <= NINE) return readNumber(bytes, start, end);
  return first === LETTER_N ? null : first === LETTER_T;
}

const [DOT, ZERO] = [0x2e, 0x30];
/** A double holds so many digits. */
const MOST_DIGITS = 15;

/** Whether a number's text is `String(number)`, as a short decimal without exponent is, unless its fraction ends in 0. */
function isSpelled(bytes: Uint8Array, start: number, end: number, number: number): boolean {
  if (end - start > MOST_DIGITS || number === 0) return false;
  let isWhole = true;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte > NINE) return false;
    if (byte === DOT) isWhole = false;
  }
  return isWhole || (bytes[end - 1] !== ZERO && Math.abs(number) >= 1e-6);
}

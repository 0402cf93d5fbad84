import type { Scalar } from '@fairway/core';
import type { RowView } from './rows-view.ts';

/**
 * The bodies of one caller look alike: the same keys in the same order, white space too, around other numbers and words. A
 * form is that look: a pattern with a group for each value, and for each instance the place of these values in its view.
 */
export type Form = { readonly pattern: RegExp; readonly rows: readonly RowForm[] };

/** One side of an instance: its names, the groups of their values, and the text of its view around these. */
type RowForm = {
  readonly names: readonly string[];
  readonly groups: readonly number[];
  readonly texts: readonly string[];
};

/** A body with a mark for each value, and the pattern of all bodies that differ in these alone. */
export type Marked = { readonly body: Uint8Array; readonly pattern: RegExp };

/** The mark of value 7 is `@~7~`: a text that no reader changes. */
const MARK = /^@~(\d+)~$/;
const MARK_START = '@~';
const MARKS_IN_VIEW = /"@~(\d+)~"/;
/** V8 does not optimise longer patterns, and refuses still longer ones. */
const LONGEST_PATTERN = 16 * 1024;

/** A string and whether it is a name, another scalar, or a bracket. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[^\s[\]{}:,"]+|[[\]{}]/gs;
const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;
/** What every reader takes as it is: ASCII without escapes, numbers as JSON writes them. */
export const STRING = String.raw`"[ !#-\[\]-~]*"`;
export const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?`;
const VALUE = `(${STRING}|${NUMBER}|null|true|false)`;

/**
 * Marks what lies deeper than the root's own members, which (as the signature's name) say how the rest is read. `text`: one
 * character for each byte. undefined: it has no form.
 */
export function marked(text: string): Marked | undefined {
  if (text.includes(MARK_START)) return undefined;
  let [depth, at, values] = [0, 0, 0];
  let [body, pattern] = ['', ''];
  for (const found of text.matchAll(TOKEN)) {
    const [token, colon] = found;
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (colon === undefined && depth > 1) {
      const between = text.slice(at, found.index);
      body += `${between}"${MARK_START}${++values}~"`;
      pattern += literally(between) + VALUE;
      at = found.index + token.length;
    }
  }
  const rest = text.slice(at);
  const whole = wholly(pattern + literally(rest));
  return whole && { body: Buffer.from(body + rest, 'latin1'), pattern: whole };
}

/** The pattern of texts that are this and nothing else; undefined where it would be too long to pay. */
export const wholly = (source: string): RegExp | undefined =>
  source.length > LONGEST_PATTERN ? undefined : new RegExp(`^${source}$`);

/** A pattern of the text itself. */
export const literally = (text: string): string => text.replaceAll(SPECIAL, String.raw`\$&`);

/** The form, once the tolerant reader has said where the marks come to lie; undefined where it made something else of one. */
export function formOf({ pattern }: Marked, seen: readonly RowView[]): Form | undefined {
  const rows: RowForm[] = [];
  for (const { row, view } of seen) {
    const names = Object.keys(row);
    const groups = names.map((name) => Number(MARK.exec(String(row[name]))?.[1]));
    // What lies between the marks, and each mark's number, in turns.
    const parts = view.split(MARKS_IN_VIEW);
    const order = parts.filter((_, index) => index % 2 === 1);
    if (names.includes('__proto__') || order.join() !== groups.join()) return undefined;
    rows.push({ names, groups, texts: parts.filter((_, index) => index % 2 === 0) });
  }
  return { pattern, rows };
}

/** The rows of a body of this form; undefined: it is of another, or holds a number that JSON's readers do not agree on. */
export function readForm({ pattern, rows }: Form, text: string): readonly RowView[] | undefined {
  const found = pattern.exec(text);
  if (found === null) return undefined;
  const read: RowView[] = [];
  for (const form of rows) {
    const row = readRow(form, found);
    if (row === undefined) return undefined;
    read.push(row);
  }
  return read;
}

const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;

function readRow({ names, groups, texts }: RowForm, found: RegExpExecArray): RowView | undefined {
  const row: Record<string, Scalar> = {};
  let view = texts[0] as string;
  for (let i = 0; i < names.length; i++) {
    const token = found[groups[i] as number] as string;
    const first = token.charCodeAt(0);
    let shown = token;
    if (first === QUOTE) row[names[i] as string] = token.slice(1, -1);
    else if (first > NINE) row[names[i] as string] = token === 'null' ? null : token === 'true';
    else {
      const number = Number(token);
      if (!(Math.abs(number) <= Number.MAX_SAFE_INTEGER)) return undefined;
      row[names[i] as string] = number;
      shown = spelled(token, number);
    }
    view += shown + (texts[i + 1] as string);
  }
  return { row, view };
}

const DOT = 0x2e;
/** A double holds so many digits. */
const MOST_DIGITS = 15;

/** `String(number)`, which a short decimal without exponent is already, unless its fraction ends in 0. */
function spelled(token: string, number: number): string {
  const last = token.length - 1;
  if (last >= MOST_DIGITS || number === 0) return String(number);
  let isWhole = true;
  for (let i = 0; i <= last; i++) {
    const code = token.charCodeAt(i);
    if (code > NINE) return String(number);
    if (code === DOT) isWhole = false;
  }
  if (isWhole) return token;
  return token.charCodeAt(last) === ZERO || Math.abs(number) < 1e-6 ? String(number) : token;
}

import { isUtf8 } from 'node:buffer';
import { readPlain } from './read-json-plain.ts';

/** A value of TF Serving's JSON dialect. Integers beyond 2^53 are bigint, so that nothing is changed silently. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** A body's one root value. `sanitised`: its text held NUL, lone surrogates or invalid UTF-8, which are U+FFFD here. */
export type Document = { readonly root: Json; readonly sanitised: boolean };

/** Deeper than any tensor. */
export const MAX_DEPTH = 100;
/** Stands for a list or object that lies deeper than {@link MAX_DEPTH}; compared by identity. */
export const TOO_DEEP: JsonObject = Object.freeze({});
/** uint64 has 20 digits; a longer whole number is a double to everybody, and costs as much as one. */
const MOST_INTEGER_DIGITS = 20;

/**
 * Reads a body as TensorFlow Serving does (capture reference §2.3, §7): bare NaN and infinities, the **first** of
 * duplicate keys, int64 kept exact, a byte-order mark and bytes after the root ignored. Plain JSON, which most bodies
 * are, takes the platform's parser, with the same result. Throws SyntaxError with the position.
 */
export function readBody(bytes: Uint8Array): Document {
  const plain = readPlain(bytes, MAX_DEPTH);
  if (plain !== undefined) return { root: plain, sanitised: false };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const { root, sanitised } = readJson(text);
  return { root, sanitised: sanitised || !isUtf8(bytes) };
}

/** The tolerant reader behind {@link readBody}. */
export function readJson(text: string): Document {
  const source: Source = { text, at: text.charCodeAt(0) === 0xfeff ? 1 : 0, sanitised: false };
  const root = value(source, 0);
  return { root, sanitised: source.sanitised };
}

/** Text that PostgreSQL can hold: NUL and lone surrogates become U+FFFD. */
export function storable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- NUL is exactly what has to go
  return /[\0\uD800-\uDFFF]/.test(text) ? text.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD') : text;
}

type Source = { readonly text: string; at: number; sanitised: boolean };

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

function value(source: Source, depth: number): Json {
  const next = peek(source);
  if (next === QUOTE) return string(source);
  if (next !== OPEN_OBJECT && next !== OPEN_LIST) return literal(source);
  if (depth >= MAX_DEPTH) return skipped(source);
  return next === OPEN_OBJECT ? object(source, depth) : array(source, depth);
}

function object(source: Source, depth: number): JsonObject {
  const found: Record<string, Json> = {};
  source.at += 1;
  if (took(source, CLOSE_OBJECT)) return found;
  do {
    if (peek(source) !== QUOTE) throw wrong(source, 'lacks a string');
    const key = string(source);
    if (!took(source, COLON)) throw wrong(source, 'lacks a colon');
    const item = value(source, depth + 1);
    if (found[key] === undefined || !Object.hasOwn(found, key)) put(found, key, item);
  } while (took(source, COMMA));
  if (!took(source, CLOSE_OBJECT)) throw wrong(source, 'lacks a closing brace');
  return found;
}

/** Sets an own property whatever its name: assigning to `__proto__` would not. */
export function put<T>(target: Record<string, T>, key: string, item: T): void {
  if (key !== '__proto__') target[key] = item;
  else Object.defineProperty(target, key, { value: item, enumerable: true, configurable: true, writable: true });
}

function array(source: Source, depth: number): readonly Json[] {
  const items: Json[] = [];
  source.at += 1;
  if (took(source, CLOSE_LIST)) return items;
  do items.push(value(source, depth + 1));
  while (took(source, COMMA));
  if (!took(source, CLOSE_LIST)) throw wrong(source, 'lacks a closing bracket');
  return items;
}

/** Steps over a list or object to its closing bracket. */
function skipped(source: Source): JsonObject {
  for (let open = 0; source.at < source.text.length; source.at++) {
    const next = source.text.charCodeAt(source.at);
    if (next === QUOTE) {
      string(source);
      source.at -= 1;
    } else if (next === OPEN_LIST || next === OPEN_OBJECT) open += 1;
    else if ((next === CLOSE_LIST || next === CLOSE_OBJECT) && --open === 0) {
      source.at += 1;
      return TOO_DEEP;
    }
  }
  throw wrong(source, 'lacks a closing bracket');
}

function string(source: Source): string {
  const { text } = source;
  const from = source.at + 1;
  let escaped = false;
  let unfit = false;
  for (let at = from; at < text.length; at++) {
    const next = text.charCodeAt(at);
    if (next === QUOTE) {
      source.at = at + 1;
      const raw = text.slice(from, at);
      return escaped || unfit ? cleaned(source, escaped ? unescaped(raw) : raw) : raw;
    }
    if (next === BACKSLASH) {
      escaped = true;
      at += 1;
    } else if (next === 0 || (next >= 0xd800 && next <= 0xdfff)) unfit = true;
  }
  throw wrong(source, 'lacks the end of a string');
}

function cleaned(source: Source, text: string): string {
  const clean = storable(text);
  if (clean !== text) source.sanitised = true;
  return clean;
}

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(.))/gs;
const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

const unescaped = (raw: string): string =>
  raw.replace(ESCAPE, (_, code: string | undefined, one: string) =>
    code === undefined ? (ESCAPED[one] ?? one) : String.fromCharCode(Number.parseInt(code, 16)),
  );

const WORDS: ReadonlyArray<readonly [string, Json]> = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['Inf', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
];
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

function literal(source: Source): Json {
  const { text, at } = source;
  const from = text.charCodeAt(at) === MINUS ? at + 1 : at;
  const whole = text.charCodeAt(from) === ZERO ? from + 1 : pastDigits(text, from);
  if (whole === from) return word(source);
  const end = pastExponent(text, pastFraction(text, whole));
  source.at = end;
  const number = Number(text.slice(at, end));
  if (end !== whole || Number.isSafeInteger(number)) return number;
  return end - from > MOST_INTEGER_DIGITS ? number : BigInt(text.slice(at, end));
}

function pastDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

const isDigit = (code: number): boolean => code >= ZERO && code <= 0x39;

function pastFraction(text: string, from: number): number {
  const end = text.charCodeAt(from) === DOT ? pastDigits(text, from + 1) : from;
  return end === from + 1 ? from : end;
}

function pastExponent(text: string, from: number): number {
  if ((text.charCodeAt(from) | 0x20) !== 0x65) return from;
  const sign = text.charCodeAt(from + 1);
  const digits = from + (sign === MINUS || sign === 0x2b ? 2 : 1);
  const end = pastDigits(text, digits);
  return end === digits ? from : end;
}

function word(source: Source): Json {
  for (const [name, meaning] of WORDS) {
    if (!source.text.startsWith(name, source.at)) continue;
    source.at += name.length;
    return meaning;
  }
  throw wrong(source, 'holds something that is no JSON value');
}

/** The next character that is no white space, as its code; NaN at the end. */
function peek(source: Source): number {
  for (;;) {
    const next = source.text.charCodeAt(source.at);
    if (next !== 0x20 && next !== 0x0a && next !== 0x0d && next !== 0x09) return next;
    source.at += 1;
  }
}

function took(source: Source, token: number): boolean {
  if (peek(source) !== token) return false;
  source.at += 1;
  return true;
}

const wrong = (source: Source, what: string) => new SyntaxError(`the JSON ${what} at character ${source.at}`);

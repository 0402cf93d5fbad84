/** A value of TF Serving's JSON dialect. Integers beyond 2^53 are bigint, so that nothing is changed silently. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

const MAX_DEPTH = 100;
const NON_FINITE: ReadonlyArray<readonly [string, number]> = [
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['Inf', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
];
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const SPACE = /[ \t\r\n]*/y;
const PLAIN_STRING = /"((?:[^"\\])*)"/y;
const ANY_STRING = /"((?:[^"\\]|\\[^])*)"/y;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(.))/gs;
const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * Reads one root value as TensorFlow Serving does (capture reference §2.3, §7): bare NaN and infinities, the **first** of
 * duplicate keys, int64 kept exact, a byte-order mark and bytes after the root ignored. Text is made fit for PostgreSQL's
 * jsonb: NUL and lone surrogates become U+FFFD. Throws SyntaxError with the position; at most 100 levels deep.
 */
export function readJson(text: string): Json {
  const source: Source = { text, at: text.charCodeAt(0) === 0xfeff ? 1 : 0 };
  return value(source, 0);
}

type Source = { readonly text: string; at: number };

function value(source: Source, depth: number): Json {
  if (depth > MAX_DEPTH) throw wrong(source, `is nested deeper than ${MAX_DEPTH} levels`);
  skipSpace(source);
  const next = source.text[source.at];
  if (next === '{') return object(source, depth);
  if (next === '[') return array(source, depth);
  if (next === '"') return string(source);
  return literal(source);
}

function object(source: Source, depth: number): JsonObject {
  const entries: Array<[string, Json]> = [];
  const seen = new Set<string>();
  source.at += 1;
  if (take(source, '}')) return {};
  do {
    skipSpace(source);
    const key = string(source);
    if (!take(source, ':')) throw wrong(source, 'lacks a colon');
    const item = value(source, depth + 1);
    if (!seen.has(key)) entries.push([key, item]);
    seen.add(key);
  } while (take(source, ','));
  if (!take(source, '}')) throw wrong(source, 'lacks a closing brace');
  return Object.fromEntries(entries);
}

function array(source: Source, depth: number): readonly Json[] {
  const items: Json[] = [];
  source.at += 1;
  if (take(source, ']')) return items;
  do items.push(value(source, depth + 1));
  while (take(source, ','));
  if (!take(source, ']')) throw wrong(source, 'lacks a closing bracket');
  return items;
}

function string(source: Source): string {
  const raw = match(source, PLAIN_STRING) ?? match(source, ANY_STRING);
  if (raw === undefined) throw wrong(source, 'lacks a string');
  const text = raw[1] as string;
  return storable(text.includes('\\') ? text.replace(ESCAPE, (_, code, one) => unescape(code, one)) : text);
}

const unescape = (code: string | undefined, one: string): string =>
  code === undefined ? (ESCAPED[one] ?? one) : String.fromCharCode(Number.parseInt(code, 16));

/** Text that PostgreSQL can hold: NUL and lone surrogates become U+FFFD. */
export function storable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- NUL is exactly what has to go
  return /[\0\uD800-\uDFFF]/.test(text) ? text.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD') : text;
}

function literal(source: Source): Json {
  for (const [word, meaning] of NON_FINITE) if (isWord(source, word)) return meaning;
  if (isWord(source, 'true')) return true;
  if (isWord(source, 'false')) return false;
  if (isWord(source, 'null')) return null;
  const found = match(source, NUMBER);
  if (found === undefined) throw wrong(source, 'holds something that is no JSON value');
  const number = Number(found[0]);
  const isInteger = found[1] === undefined && found[2] === undefined;
  return isInteger && !Number.isSafeInteger(number) ? BigInt(found[0]) : number;
}

function isWord(source: Source, word: string): boolean {
  if (!source.text.startsWith(word, source.at)) return false;
  source.at += word.length;
  return true;
}

function take(source: Source, token: string): boolean {
  skipSpace(source);
  if (source.text[source.at] !== token) return false;
  source.at += 1;
  return true;
}

function skipSpace(source: Source): void {
  match(source, SPACE);
}

function match(source: Source, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = source.at;
  const found = pattern.exec(source.text);
  if (found === null) return undefined;
  source.at = pattern.lastIndex;
  return found;
}

const wrong = (source: Source, what: string) => new SyntaxError(`the JSON ${what} at character ${source.at}`);

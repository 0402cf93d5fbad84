import { refuse } from '../web/http.ts';

/** A number with the form of its token: integer types take integer tokens only. */
export class JsonNumber {
  readonly value: number;
  readonly integer: boolean;
  constructor(value: number, integer: boolean) {
    this.value = value;
    this.integer = integer;
  }
}

export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** Far deeper than any tensor; keeps a hostile body from overflowing the stack. */
const MAX_DEPTH = 256;
const NUMBER = /-?(?:NaN|Infinity|Inf|(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)/y;
const STRING = /"((?:[^"\\]|\\.)*)"/sy;
const CONTROL = /[^ -\uFFFF]/;
const SPACE = /[ \t\r\n]*/y;
const LITERALS: ReadonlyArray<readonly [string, null | boolean]> = [
  ['null', null],
  ['true', true],
  ['false', false],
];

/**
 * Parses the JSON that TensorFlow Serving takes: bare NaN, Infinity, Inf and -Infinity are numbers, of equal keys the
 * first wins, and bytes after the root are ignored. Refuses with status 400 and TensorFlow Serving's words.
 */
export function parseJson(text: string): Json {
  const cursor = { text: text.startsWith('\uFEFF') ? text.slice(1) : text, at: 0 };
  skip(cursor);
  if (cursor.at === cursor.text.length) refuse(400, 'JSON Parse error: The document is empty');
  return value(cursor, 0);
}

type Cursor = { readonly text: string; at: number };

function fail(cursor: Cursor, what: string): never {
  return refuse(400, `JSON Parse error: ${what} at offset: ${cursor.at}`);
}

function skip(cursor: Cursor): void {
  SPACE.lastIndex = cursor.at;
  SPACE.test(cursor.text);
  cursor.at = SPACE.lastIndex;
}

/** Steps over one character if it is there. */
function taken(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false;
  cursor.at += 1;
  return true;
}

function value(cursor: Cursor, depth: number): Json {
  if (depth > MAX_DEPTH) fail(cursor, `Nested deeper than ${MAX_DEPTH} levels.`);
  const first = cursor.text[cursor.at];
  if (first === '{') return object(cursor, depth);
  if (first === '[') return array(cursor, depth);
  if (first === '"') return string(cursor);
  for (const [word, literal] of LITERALS) {
    if (cursor.text.startsWith(word, cursor.at)) {
      cursor.at += word.length;
      return literal;
    }
  }
  return number(cursor);
}

function number(cursor: Cursor): JsonNumber {
  NUMBER.lastIndex = cursor.at;
  const match = NUMBER.exec(cursor.text);
  if (match === null) fail(cursor, 'Invalid value.');
  cursor.at = NUMBER.lastIndex;
  const [token, fraction, exponent] = match;
  const number = token.endsWith('NaN') ? Number.NaN : Number(token.replace(/Inf$/, 'Infinity'));
  return new JsonNumber(number, Number.isFinite(number) && fraction === undefined && exponent === undefined);
}

function string(cursor: Cursor): string {
  STRING.lastIndex = cursor.at;
  const match = STRING.exec(cursor.text);
  if (match === null) fail(cursor, 'Missing a closing quotation mark in string.');
  const inner = match[1] as string;
  if (CONTROL.test(inner)) fail(cursor, 'Invalid encoding in string.');
  if (inner.includes('\\')) {
    try {
      const text = JSON.parse(match[0]) as string;
      cursor.at = STRING.lastIndex;
      return text;
    } catch {
      fail(cursor, 'Invalid escape character in string.');
    }
  }
  cursor.at = STRING.lastIndex;
  return inner;
}

function array(cursor: Cursor, depth: number): Json[] {
  const items: Json[] = [];
  cursor.at += 1;
  skip(cursor);
  if (taken(cursor, ']')) return items;
  for (;;) {
    items.push(value(cursor, depth + 1));
    skip(cursor);
    if (taken(cursor, ']')) return items;
    if (!taken(cursor, ',')) fail(cursor, 'Missing a comma or ] after an array element.');
    skip(cursor);
  }
}

function object(cursor: Cursor, depth: number): JsonObject {
  const members = new Map<string, Json>();
  cursor.at += 1;
  skip(cursor);
  if (taken(cursor, '}')) return members;
  for (;;) {
    if (cursor.text[cursor.at] !== '"') fail(cursor, 'Missing a name for object member.');
    const name = string(cursor);
    skip(cursor);
    if (!taken(cursor, ':')) fail(cursor, 'Missing a colon after a name of object member.');
    skip(cursor);
    const member = value(cursor, depth + 1);
    if (!members.has(name)) members.set(name, member);
    skip(cursor);
    if (taken(cursor, '}')) return members;
    if (!taken(cursor, ',')) fail(cursor, 'Missing a comma or } after an object member.');
    skip(cursor);
  }
}

export const isObject = (json: Json | undefined): json is JsonObject => json instanceof Map;
export const isArray = (json: Json | undefined): json is readonly Json[] => Array.isArray(json);

/** A value for an error message: on one line, cut after 256 characters. */
export function quoted(json: Json): string {
  const text = written(json);
  return text.length > 256 ? `${text.slice(0, 256)}...` : text;
}

function written(json: Json): string {
  if (json instanceof JsonNumber) return String(json.value);
  if (isArray(json)) return `[${json.map(written).join(', ')}]`;
  if (isObject(json)) return `{${[...json].map(([k, v]) => `${JSON.stringify(k)}: ${written(v)}`).join(', ')}}`;
  return JSON.stringify(json);
}

/** JSON's word for the type of a value, as TensorFlow Serving's messages use it. */
export function typeName(json: Json): string {
  if (json === null) return 'Null';
  if (typeof json === 'boolean') return json ? 'True' : 'False';
  if (typeof json === 'string') return 'String';
  if (json instanceof JsonNumber) return 'Number';
  return isArray(json) ? 'Array' : 'Object';
}

/** A number as it was written: nothing is rounded, and the integer `1` is told from the decimal `1.0`. */
export type ExactNumber = { readonly number: string };
export type ExactObject = ReadonlyMap<string, ExactJson>;
/** JSON as TensorFlow Serving speaks it, with bare `NaN` and infinities. */
export type ExactJson = null | boolean | string | ExactNumber | readonly ExactJson[] | ExactObject;

/** Deeper than any tensor; what walks the value may recurse. */
const MOST_LEVELS = 32;

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[[{]|[\]}]|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|-?Inf(?:inity)?/g;
const OPENING = /^[[{]$/;
const CLOSING = /^[\]}]$/;

/** Reads one JSON value. Throws SyntaxError, with no more to it than that it is none or too deep. */
export function readExactJson(text: string): ExactJson {
  let depth = 0;
  // Every text gets an `s` before it and every number becomes a text with an `n`: the platform's parser does the rest.
  const marked = text.replaceAll(TOKEN, (token) => {
    if (token.startsWith('"')) return `"s${token.slice(1)}`;
    if (OPENING.test(token)) depth += 1;
    else if (CLOSING.test(token)) depth -= 1;
    else return `"n${token}"`;
    if (depth > MOST_LEVELS) throw new SyntaxError(`nested deeper than ${MOST_LEVELS} levels`);
    return token;
  });
  try {
    return unmarked(JSON.parse(marked));
  } catch {
    throw new SyntaxError('no JSON value');
  }
}

function unmarked(value: unknown): ExactJson {
  if (typeof value === 'string') return value.startsWith('s') ? value.slice(1) : { number: value.slice(1) };
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== 'object' || value === null) return value as null | boolean;
  return new Map(Object.entries(value).map(([key, item]) => [key.slice(1), unmarked(item)]));
}

/** The value as text again, each number as it was written. */
export function writeExactJson(value: ExactJson): string {
  if (isExactObject(value)) {
    return `{${[...value].map(([key, item]) => `${JSON.stringify(key)}:${writeExactJson(item)}`).join(',')}}`;
  }
  if (isExactList(value)) return `[${value.map(writeExactJson).join(',')}]`;
  return isExactNumber(value) ? value.number : JSON.stringify(value);
}

export const isExactObject = (value: ExactJson | undefined): value is ExactObject => value instanceof Map;
export const isExactList = (value: ExactJson | undefined): value is readonly ExactJson[] => Array.isArray(value);
export const isExactNumber = (value: ExactJson | undefined): value is ExactNumber =>
  typeof value === 'object' && value !== null && 'number' in value;

/** Its value as a double. */
export const toNumber = ({ number }: ExactNumber): number => Number(number.replace(/Inf$/, 'Infinity'));

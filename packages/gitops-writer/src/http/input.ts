import { FairwayError } from '@fairway/core';
import type { z } from 'zod';
import { wording } from './wording.ts';

const MOST_PROBLEMS = 10;
/** No request that we know of comes near. */
const MOST_DEPTH = 64;

/** `value` as `schema` sees it. Throws `input.invalid` naming every field that is wrong in one sentence. */
export function parse<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = new Map<string, string>();
  for (const issue of parsed.error.issues) {
    const field = issue.path.join('.');
    const words = wording(issue, value);
    // An empty text is also none of one line; the first word about a field is enough.
    if (!problems.has(field)) problems.set(field, field === '' ? words : `${field}: ${words}`);
  }
  throw invalid(what, [...problems.values()].slice(0, MOST_PROBLEMS));
}

/** The JSON in `bytes`. Throws `input.invalid` for what is no UTF-8, no JSON, nested without end, or holds characters that cannot be stored. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  const text = decode(bytes, what);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(what, [`it is not JSON (${(error as Error).message})`]);
  }
  if (isTooDeep(value)) throw invalid(what, [`it must not be nested more than ${MOST_DEPTH} deep`]);
  // Looked for only where the text can hold one at all: most bodies have no such escape.
  const problems = /\\u(0000|d[89a-f])/i.test(text) ? unstorable(value, []) : [];
  if (problems.length > 0) throw invalid(what, problems.slice(0, MOST_PROBLEMS));
  return value;
}

/** Level by level: what calls itself for each would end in the depth of the stack, as `JSON.stringify` does later. */
function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= MOST_DEPTH; depth++) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
    if (level.length === 0) return false;
  }
  return true;
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid(what, ['it is not UTF-8']);
  }
}

/** Paths of texts with NUL, which PostgreSQL does not take, or half a surrogate pair, which UTF-8 does not know. */
function unstorable(value: unknown, path: readonly string[]): string[] {
  if (typeof value === 'string') {
    return /\0|\p{Surrogate}/u.test(value)
      ? [`${path.join('.')}: must not hold NUL or half a surrogate pair`.replace(/^: /, '')]
      : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...unstorable(key, [...path, JSON.stringify(key)]),
    ...unstorable(inner, [...path, key]),
  ]);
}

const invalid = (what: string, problems: readonly string[]): FairwayError =>
  new FairwayError('input.invalid', `${what} is not usable: ${problems.join('; ')}.`, { detail: { problems } });

import { isDeepStrictEqual } from 'node:util';
import type { Document } from 'yaml';
import { parseAllDocuments } from 'yaml';
import { brokenness } from './plain.ts';
import type { Found, Place, Refusal } from './locate.ts';

/** Characters from `start` up to `end` become `text`; everything else stays. */
export type Splice = { readonly start: number; readonly end: number; readonly text: string };

export function spliced(text: string, splices: readonly Splice[]): string {
  return [...splices]
    .sort((a, b) => b.start - a.start)
    .reduce((result, { start, end, text: next }) => result.slice(0, start) + next + result.slice(end), text);
}

/** What the collection or scalar at a place shall be, given what it is. */
export type Intended = (before: unknown) => unknown;

/**
 * The first of several ways to write an edit that, read again, changes what is `intended` at the place and nothing else:
 * not in this document and not in the others of the file.
 */
export function proven(
  text: string,
  { documents, index }: Found,
  { path }: Place,
  intended: Intended,
  ways: ReadonlyArray<readonly Splice[]>,
  refuse: Refusal,
): string {
  const before = documents.map((document) => value(document, refuse));
  const wanted = before.map((document, at) => (at === index ? changed(document, path, intended) : document));
  for (const way of ways) {
    const after = spliced(text, way);
    const read = parseAllDocuments(after, { uniqueKeys: true });
    const sound = read.length === documents.length && read.every((document) => brokenness(document).length === 0);
    if (
      sound &&
      isDeepStrictEqual(
        read.map((document) => value(document, refuse)),
        wanted,
      )
    )
      return after;
  }
  throw refuse('the edit would change more than it means to');
}

/** Maps as maps: keys that are no strings, or are called `__proto__`, stay what they are. */
function value(document: Document.Parsed, refuse: Refusal): unknown {
  try {
    return document.toJS({ mapAsMap: true });
  } catch {
    throw refuse('its aliases stand for too much');
  }
}

function changed(before: unknown, path: Place['path'], intended: Intended): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return intended(before);
  if (Array.isArray(before)) return before.map((item, at) => (at === step ? changed(item, rest, intended) : item));
  if (!(before instanceof Map)) return before;
  const key = [...before.keys()].find((name) => String(name) === step);
  return new Map([...before].map(([name, item]) => [name, name === key ? changed(item, rest, intended) : item]));
}

import { isSeq, type Node, type YAMLMap, type YAMLSeq } from 'yaml';
import type { RepositoryFile } from '../ports.ts';
import { lineEnd, lineStart, startsLine } from './lines.ts';
import {
  afterIndicator,
  entryEnd,
  entryStart,
  type Found,
  isFlow,
  locate,
  type Place,
  type Refusal,
  refusal,
  spoken,
} from './locate.ts';
import { proven, type Splice } from './splice.ts';

type Collection = YAMLMap<Node, Node | null> | YAMLSeq<Node>;
type Entry = { readonly text: string; readonly collection: Collection; readonly at: number; readonly refuse: Refusal };

/**
 * The file without the list item or map entry at a place, and without the comment on its lines; comments around it stay,
 * and so does every other byte. A collection that loses its last entry becomes `[]` or `{}`. Throws `model.invalid` with
 * a sentence when that cannot be proven.
 */
export function removeEntry(file: RepositoryFile, place: Place): string {
  const refuse = refusal(file, `remove ${spoken(place)}`);
  const found = locate(file, place, refuse);
  const { parent } = found;
  if (parent === undefined) throw refuse('a whole document cannot be removed from it');
  const entry = { text: file.text, collection: parent.node, at: parent.at, refuse };
  const ways = isFlow(parent.node) ? [flowSplice(entry)] : blockWays(entry, around(file, place, refuse));
  const step = place.path.at(-1);
  const above = { ...place, path: place.path.slice(0, -1) };
  return proven(file.text, found, above, (before) => without(before, step), ways, refuse);
}

function without(before: unknown, step: string | number | undefined): unknown {
  if (Array.isArray(before)) return before.filter((_, at) => at !== step);
  return new Map([...(before as Map<unknown, unknown>)].filter(([key]) => String(key) !== step));
}

/** The collection itself as an entry of what is around it. */
const around = (file: RepositoryFile, place: Place, refuse: Refusal): Found =>
  locate(file, { ...place, path: place.path.slice(0, -1) }, (why) => refuse(why));

function blockWays(entry: Entry, outer: Found): Splice[][] {
  const { text, collection, at, refuse } = entry;
  const { start, end } = bounds(entry, at);
  const only = collection.items.length === 1;
  const empty = isSeq(collection) ? '[]' : '{}';
  if (startsLine(text, start)) {
    const lines = { start: lineStart(text, start), end: lineEnd(text, end), text: '' };
    if (!only) return withoutLines(text, lines);
    const colon = outer.pair === undefined ? undefined : afterIndicator(outer);
    if (colon !== undefined)
      return withoutLines(text, lines).map((splices) => [...splices, { start: colon, end: colon, text: ` ${empty}` }]);
  }
  if (only) return [[{ start, end: start + text.slice(start, end).trimEnd().length, text: empty }]];
  // The first entry stands on the line of the dash above it: the next one moves up to its place.
  const next = bounds(entry, at + 1).start;
  if (text.slice(end, next).includes('#')) throw refuse('a comment stands between it and what follows');
  return [[{ start, end: next, text: '' }]];
}

/** A file that ends without a line end shall do so afterwards. */
function withoutLines(text: string, lines: Splice): Splice[][] {
  if (lines.end < text.length || text.endsWith('\n')) return [[lines]];
  const back = text.slice(0, lines.start).replace(/\r?\n$/, '').length;
  return [[{ ...lines, start: back }], [lines]];
}

function flowSplice(entry: Entry): Splice[] {
  const { text, collection, at, refuse } = entry;
  const { start, end } = bounds(entry, at);
  const restOfLine = /^[ \t]*,?[ \t]*(?:#[^\n]*)?\r?\n/.exec(text.slice(end))?.[0];
  if (startsLine(text, start) && restOfLine !== undefined)
    return [{ start: lineStart(text, start), end: end + restOfLine.length, text: '' }];
  if (collection.items.length === 1) {
    const comma = /^\s*,[ \t]*|^[ \t]*/.exec(text.slice(end))?.[0] ?? '';
    return [{ start, end: end + comma.length, text: '' }];
  }
  const last = at === collection.items.length - 1;
  const [from, to] = last ? [bounds(entry, at - 1).end, end] : [start, bounds(entry, at + 1).start];
  const between = last ? text.slice(from, start) : text.slice(end, to);
  if (between.includes('#')) throw refuse('a comment stands between it and its neighbour');
  return [{ start: from, end: to, text: '' }];
}

function bounds({ collection, refuse }: Entry, at: number): { start: number; end: number } {
  const start = entryStart(collection, at);
  const end = entryEnd(collection, at);
  if (start === undefined || end === undefined) throw refuse('it is written with an explicit key');
  return { start, end };
}

import { isMap, isScalar, isSeq, type Node, type YAMLSeq } from 'yaml';
import type { RepositoryFile } from '../ports.ts';
import { lineEnd, lineStart, newlineAt, startsLine } from './lines.ts';
import {
  afterIndicator,
  entryEnd,
  entryStart,
  type Found,
  isFlow,
  isUnwritten,
  locate,
  type Place,
  type Refusal,
  refusal,
  spoken,
} from './locate.ts';
import { proven, type Splice } from './splice.ts';
import { type ItemValue, spellBlock, spellFlow } from './spell.ts';

/**
 * The file with one more item at the end of the list at a place (a list without items, or nothing yet behind its key, is
 * begun), written as the item before it is. Every other byte stays. Throws `model.invalid` with a sentence when that
 * cannot be proven.
 */
export function appendItem(file: RepositoryFile, place: Place, item: ItemValue): string {
  const refuse = refusal(file, `add ${spellFlow(item)} to ${spoken(place)}`);
  const found = locate(file, place, refuse);
  const value = typeof item === 'object' ? new Map(Object.entries(item)) : item;
  const intended = (before: unknown) => [...((before ?? []) as readonly unknown[]), value];
  return proven(file.text, found, place, intended, [splices(file.text, found, place, item, refuse)], refuse);
}

function splices(text: string, found: Found, place: Place, item: ItemValue, refuse: Refusal): Splice[] {
  const { node } = found;
  if (node === undefined || isUnwritten(node)) return begun(text, found, item, refuse);
  if (isScalar(node) && node.value === null && node.range != null)
    return [{ start: node.range[0], end: node.range[1], text: `[${spellFlow(item)}]` }];
  if (!isSeq<Node>(node)) throw refuse(`${spoken(place)} is not a list`);
  return isFlow(node) ? flowItem(text, node, item, refuse) : blockItem(text, node, item, refuse);
}

/** `key:` becomes a list: below the key, or in brackets where the key itself stands in brackets. */
function begun(text: string, found: Found, item: ItemValue, refuse: Refusal): Splice[] {
  const { pair, parent } = found;
  const colon = afterIndicator(found);
  const key = pair?.key.range?.[0];
  if (colon === undefined || key === undefined || parent === undefined)
    throw refuse('it has no list there, nor a key for one');
  if (isFlow(parent.node) || !startsLine(text, key))
    return [{ start: colon, end: colon, text: ` [${spellFlow(item)}]` }];
  return below(text, colon, `${text.slice(lineStart(text, key), key)}  `, item);
}

function blockItem(text: string, list: YAMLSeq<Node>, item: ItemValue, refuse: Refusal): Splice[] {
  const last = list.items.length - 1;
  const start = entryStart(list, last);
  const end = entryEnd(list, last);
  if (start === undefined || end === undefined) throw refuse('its last item cannot be made out');
  const indent = text.slice(lineStart(text, start), start).replaceAll(/[^ \t]/g, ' ');
  const before = list.items[last];
  const flow = isMap<Node, Node | null>(before) && isFlow(before);
  return below(text, end, indent, item, flow);
}

/** A new item on the line after the one that `end` is in. */
function below(text: string, end: number, indent: string, item: ItemValue, flow = false): Splice[] {
  const newline = newlineAt(text, end);
  const lines = flow ? [spellFlow(item)] : spellBlock(item);
  const written = lines.map((line, at) => `${indent}${at === 0 ? '- ' : '  '}${line}`).join(newline);
  const at = lineEnd(text, end);
  // A file that ends without a line end shall do so afterwards.
  const ended = text[at - 1] === '\n';
  return [{ start: at, end: at, text: ended ? `${written}${newline}` : `${newline}${written}` }];
}

function flowItem(text: string, list: YAMLSeq<Node>, item: ItemValue, refuse: Refusal): Splice[] {
  const open = list.range?.[0];
  if (open === undefined) throw refuse('its list cannot be made out');
  const last = list.items.length - 1;
  if (last < 0) return [{ start: open + 1, end: open + 1, text: spellFlow(item) }];
  const start = entryStart(list, last);
  const end = entryEnd(list, last);
  if (start === undefined || end === undefined) throw refuse('its last item cannot be made out');
  const comma = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0;
  const after = end + comma;
  const restOfLine = /^[ \t]*(?:#[^\n]*)?\r?\n/.exec(text.slice(after))?.[0];
  const separator: Splice[] = comma > 0 ? [] : [{ start: end, end, text: ',' }];
  if (!startsLine(text, start) || restOfLine === undefined)
    return [{ start: after, end: after, text: `${comma > 0 ? '' : ','} ${spellFlow(item)}` }];
  const at = after + restOfLine.length;
  const written = `${text.slice(lineStart(text, start), start)}${spellFlow(item)}${newlineAt(text, at - 1)}`;
  return [...separator, { start: at, end: at, text: written }];
}

import { FairwayError } from '@fairway/core';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { RepositoryFile } from '../ports.ts';
import { brokenness, isMergeKey, NO_MERGE, oddities, ownOddities } from './plain.ts';

/** Keys of maps and indices of lists, from the root of a document of the file (the first one when not said). */
export type Place = { readonly path: ReadonlyArray<string | number>; readonly document?: number };

/** What is at a place: the entry (a pair of a map, or an item of a list) with the collection it is in, or the root. */
export type Found = {
  readonly documents: readonly Document.Parsed[];
  readonly index: number;
  /** undefined for an entry without a value, as the items of `{a, b}`. */
  readonly node: Node | undefined;
  readonly pair?: Pair<Node, Node | null>;
  readonly parent?: { readonly node: YAMLMap<Node, Node | null> | YAMLSeq<Node>; readonly at: number };
};

/** What somebody would have to do by hand, e.g. `remove environments[1]`. */
export type Refusal = (why: string) => FairwayError;

export const refusal =
  ({ path }: RepositoryFile, todo: string): Refusal =>
  (why) =>
    new FairwayError('model.invalid', `${path} cannot be edited without a risk, because ${why}; ${todo} by hand.`);

/** `environments[1].merge` */
export const spoken = ({ path }: Place): string =>
  path.length === 0
    ? 'the document'
    : path
        .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
        .join('')
        .replace(/^\./, '');

/** Finds a place; throws what `refuse` makes of broken YAML, of a place that is not there, and of anchors, tags and merge keys on the way. */
export function locate({ text }: RepositoryFile, place: Place, refuse: Refusal): Found {
  const documents = parseAllDocuments(text, { uniqueKeys: true, keepSourceTokens: true });
  const index = place.document ?? 0;
  const document = documents[index];
  if (document === undefined) throw refuse(`it has no YAML document ${index + 1}`);
  const [broken] = documents.flatMap(brokenness);
  if (broken !== undefined) throw refuse(`it is not usable YAML (${broken})`);
  let found: Pick<Found, 'node' | 'pair' | 'parent'> = { node: document.contents ?? undefined };
  for (const [depth, step] of place.path.entries()) {
    if (found.node !== undefined) refuseOdd(ownOddities(found.node), refuse);
    const next = enter(found.node, step, refuse);
    if (next === undefined) throw refuse(`it has no ${spoken({ path: place.path.slice(0, depth + 1) })}`);
    found = next;
  }
  refuseOdd(oddities(found.pair ?? found.node), refuse);
  return { documents, index, ...found };
}

function enter(
  node: Node | undefined,
  step: string | number,
  refuse: Refusal,
): Pick<Found, 'node' | 'pair' | 'parent'> | undefined {
  if (typeof step === 'number') {
    const item = isSeq<Node>(node) ? node.items[step] : undefined;
    return item === undefined ? undefined : { node: item, parent: { node: node as YAMLSeq<Node>, at: step } };
  }
  if (!isMap<Node, Node | null>(node)) return undefined;
  if (node.items.some(({ key }) => isMergeKey(key))) throw refuse(NO_MERGE);
  const at = node.items.findIndex(({ key }) => isScalar(key) && String(key.value) === step);
  const pair = node.items[at];
  return pair === undefined ? undefined : { node: pair.value ?? undefined, pair, parent: { node, at } };
}

function refuseOdd([odd]: readonly string[], refuse: Refusal): void {
  if (odd !== undefined) throw refuse(odd);
}

/** Whether a collection is written with brackets. */
export const isFlow = ({ srcToken }: YAMLMap<Node, Node | null> | YAMLSeq<Node>): boolean =>
  srcToken?.type === 'flow-collection';

/** A scalar of which nothing is written. */
export const isUnwritten = (node: Node): boolean =>
  isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1];

/** Offset behind the colon of a pair, or behind the dash of a list item; undefined where there is none. */
export function afterIndicator({ pair, parent }: Pick<Found, 'pair' | 'parent'>): number | undefined {
  const token = pair?.srcToken?.sep?.find(({ type }) => type === 'map-value-ind') ?? dash(parent);
  return token === undefined ? undefined : token.offset + token.source.length;
}

function dash(parent: Found['parent']) {
  if (parent === undefined || parent.node.srcToken?.type !== 'block-seq') return undefined;
  const dashes = parent.node.srcToken.items.flatMap(({ start }) => start.filter(({ type }) => type === 'seq-item-ind'));
  return dashes[parent.at];
}

/** Where the entry `at` of a collection begins: its dash, its key, or the item itself. */
export function entryStart(collection: YAMLMap<Node, Node | null> | YAMLSeq<Node>, at: number): number | undefined {
  const item = collection.items[at];
  if (isSeq(collection)) {
    const token = dash({ node: collection, at });
    return token?.offset ?? (item as Node | undefined)?.range?.[0];
  }
  const pair = item as Pair<Node, Node | null> | undefined;
  const explicit = pair?.srcToken?.start.some(({ type }) => type === 'explicit-key-ind') === true;
  return explicit ? undefined : pair?.key.range?.[0];
}

/** Where the entry `at` ends: behind the last character of its value, before white space and comments. */
export function entryEnd(collection: YAMLMap<Node, Node | null> | YAMLSeq<Node>, at: number): number | undefined {
  const item = collection.items[at];
  if (isSeq(collection)) {
    const node = item as Node;
    return isUnwritten(node) ? afterIndicator({ parent: { node: collection, at } }) : contentEnd(node);
  }
  const pair = item as Pair<Node, Node | null>;
  if (pair.value !== null && !isUnwritten(pair.value)) return contentEnd(pair.value);
  return afterIndicator({ pair }) ?? pair.key.range?.[1];
}

/** A block collection's own range takes in the comments that follow; its last entry's does not. */
export function contentEnd(node: Node): number | undefined {
  if (isAlias(node) || isScalar(node)) return node.range?.[1];
  const collection = node as YAMLMap<Node, Node | null> | YAMLSeq<Node>;
  return isFlow(collection) ? collection.range?.[1] : entryEnd(collection, collection.items.length - 1);
}

import type { Names } from './names.ts';
import { readEntry } from './tensor-info.ts';
import { BYTES, eachField, MAX_MESSAGE_DEPTH } from '@fairway/core';

/** Where a NodeDef stands in the file. */
export type NodePlace = readonly [start: number, end: number];

/** The nodes of a graph or of a function: how often each op stands there, which functions it names, and where Examples are parsed. */
export type Body = {
  readonly ops: Map<string, number>;
  readonly calls: Set<string>;
  readonly parsers: NodePlace[];
  nodes: number;
};

export const emptyBody = (): Body => ({ ops: new Map(), calls: new Set(), parsers: [], nodes: 0 });

const PARSERS = new Set(['ParseExample', 'ParseExampleV2', 'ParseSingleExample']);

/** Counts a NodeDef into its body. */
export function addNode(bytes: Uint8Array, start: number, end: number, body: Body, names: Names): void {
  names.node();
  body.nodes++;
  let op = '';
  eachField(bytes, start, end, (id, wire, value, to) => {
    if (wire !== BYTES) return;
    if (id === 2) op = names.read(value, to);
    if (id === 5)
      eachField(bytes, value, to, (part, kind, from, until) => {
        if (part === 2 && kind === BYTES) addCalls(bytes, from, until, body, names, 0);
      });
  });
  const seen = body.ops.get(op);
  if (seen === undefined) names.count(op.length);
  body.ops.set(op, (seen ?? 0) + 1);
  if (!PARSERS.has(op)) return;
  names.count();
  body.parsers.push([start, end]);
}

/** AttrValue: `func` (10), or `func`s in a `list` (1.9); a NameAttrList has attributes again. */
function addCalls(bytes: Uint8Array, start: number, end: number, body: Body, names: Names, depth: number): void {
  if (depth > MAX_MESSAGE_DEPTH) throw new RangeError(`it is nested deeper than ${MAX_MESSAGE_DEPTH}`);
  const named = (from: number, to: number): void =>
    eachField(bytes, from, to, (id, wire, value, until) => {
      if (wire !== BYTES) return;
      if (id === 1) {
        const name = names.read(value, until);
        if (!body.calls.has(name)) names.count(name.length);
        body.calls.add(name);
      }
      if (id === 2) {
        const [, a, b] = readEntry(bytes, value, until, names);
        addCalls(bytes, a, b, body, names, depth + 1);
      }
    });
  eachField(bytes, start, end, (id, wire, value, to) => {
    if (wire !== BYTES) return;
    if (id === 10) named(value, to);
    if (id === 1)
      eachField(bytes, value, to, (part, kind, from, until) => {
        if (part === 9 && kind === BYTES) named(from, until);
      });
  });
}

export type Counted = { readonly count: number; readonly unused: number };

/**
 * How often each op is used by the graph and by the functions that it calls, and how often only by functions that nothing calls.
 * Names of functions are no ops. Answers the bodies that are used, too.
 */
export function countOps(
  graph: Body,
  library: ReadonlyMap<string, Body>,
): { readonly ops: ReadonlyMap<string, Counted>; readonly used: readonly Body[] } {
  const used = [graph];
  const reached = new Set<string>();
  for (const body of used) {
    for (const name of [...body.calls, ...body.ops.keys()]) {
      const called = library.get(name);
      if (called === undefined || reached.has(name)) continue;
      reached.add(name);
      used.push(called);
    }
  }
  const ops = new Map<string, { count: number; unused: number }>();
  const add = (body: Body, key: 'count' | 'unused'): void => {
    for (const [op, n] of body.ops) {
      if (library.has(op)) continue;
      const sum = ops.get(op) ?? { count: 0, unused: 0 };
      sum[key] += n;
      ops.set(op, sum);
    }
  };
  for (const body of used) add(body, 'count');
  for (const [name, body] of library) if (!reached.has(name)) add(body, 'unused');
  return { ops, used };
}

import type { Body, NodePlace } from './body.ts';
import { dtypeName } from './dtypes.ts';
import type { Names } from './names.ts';
import type { FeatureReport } from './report.ts';
import { readEntry, readShape } from './tensor-info.ts';
import { BYTES, eachField, VARINT } from '@fairway/core';

/** A node with the parts that say which features it parses. */
type Parser = {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly ints: ReadonlyMap<string, number>;
  readonly lists: ReadonlyMap<string, ListAttr>;
};
type ListAttr = {
  readonly types: readonly number[];
  readonly texts: readonly string[];
  readonly shapes: ReadonlyArray<readonly number[] | null>;
};

const EMPTY: ListAttr = { types: [], texts: [], shapes: [] };

/** Calls for every node of a body. */
export type EachNode = (visit: (start: number, end: number) => void) => void;

/** What a parser costs while it is read. */
const PARSER = 1024;

/** The node of an input such as `keys`, `keys:0`, `keys:output:0`, `^keys`. */
const nodeOf = (input: string): string => input.replace(/^\^/, '').split(':')[0] ?? '';

/**
 * The features that the used parts of a graph read out of tf.Example messages, sorted by name. Keys that are no constants are
 * not found. `nodes` tells every node of a body.
 */
export function readFeatures(
  bytes: Uint8Array,
  bodies: ReadonlyArray<{ readonly body: Body; readonly nodes: EachNode }>,
  names: Names,
): FeatureReport[] {
  const features = new Map<string, FeatureReport>();
  for (const { body, nodes } of bodies) {
    if (body.parsers.length === 0) continue;
    const parsers = body.parsers.map((place) => readParser(bytes, place, names));
    const wanted = new Set(parsers.flatMap(({ inputs }) => inputs.map(nodeOf)));
    const keys = readKeys(bytes, nodes, wanted, names);
    const keysOf = (input: string | undefined): readonly string[] => keys.get(nodeOf(input ?? '')) ?? [];
    for (const parser of parsers) {
      for (const feature of featuresOf(parser, keysOf)) {
        names.count();
        features.set(feature.name, feature);
      }
    }
  }
  return [...features.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Inputs and attributes as TensorFlow's op registry has them (parsing_ops.cc). */
function featuresOf(parser: Parser, keysOf: (input: string | undefined) => readonly string[]): FeatureReport[] {
  const { op, inputs, ints, lists } = parser;
  const list = (name: string): ListAttr => lists.get(name) ?? EMPTY;
  const made = (kind: FeatureReport['kind'], keys: readonly string[], types: string): FeatureReport[] =>
    keys.map((name, i) => ({
      name,
      kind,
      dtype: dtypeName(list(types).types[i] ?? 0),
      shape: kind === 'dense' ? (list('dense_shapes').shapes[i] ?? null) : null,
    }));
  if (op === 'ParseExampleV2') {
    return [
      ...made('sparse', keysOf(inputs[2]), 'sparse_types'),
      ...made('dense', keysOf(inputs[3]), 'Tdense'),
      ...made('ragged', keysOf(inputs[4]), 'ragged_value_types'),
    ];
  }
  if (op === 'ParseSingleExample') {
    return [
      ...made('sparse', list('sparse_keys').texts, 'sparse_types'),
      ...made('dense', list('dense_keys').texts, 'Tdense'),
    ];
  }
  const sparse = 2 + Math.max(0, ints.get('Nsparse') ?? 0);
  const dense = sparse + Math.max(0, ints.get('Ndense') ?? 0);
  return [
    ...made('sparse', inputs.slice(2, sparse).flatMap(keysOf), 'sparse_types'),
    ...made('dense', inputs.slice(sparse, dense).flatMap(keysOf), 'Tdense'),
  ];
}

function readParser(bytes: Uint8Array, [start, end]: NodePlace, names: Names): Parser {
  names.count(PARSER);
  let op = '';
  const inputs: string[] = [];
  const ints = new Map<string, number>();
  const lists = new Map<string, ListAttr>();
  eachField(bytes, start, end, (id, wire, value, to) => {
    if (wire !== BYTES) return;
    if (id === 2) op = names.read(value, to);
    if (id === 3) inputs.push(names.keep(value, to));
    if (id !== 5) return;
    const [key, from, until] = readEntry(bytes, value, to, names);
    eachField(bytes, from, until, (part, kind, a, b) => {
      if (part === 3 && kind === VARINT) ints.set(key, a);
      if (part === 1 && kind === BYTES) lists.set(key, readList(bytes, a, b, names));
    });
  });
  return { op, inputs, ints, lists };
}

/** AttrValue.ListValue: texts (2), types (6, packed or not), shapes (7). */
function readList(bytes: Uint8Array, start: number, end: number, names: Names): ListAttr {
  const [types, texts]: [number[], string[]] = [[], []];
  const shapes: Array<readonly number[] | null> = [];
  const addType = (type: number): void => {
    names.count(8);
    types.push(type);
  };
  eachField(bytes, start, end, (id, wire, value, to) => {
    if (id === 6 && wire === VARINT) addType(value);
    if (wire !== BYTES) return;
    if (id === 2) texts.push(names.keep(value, to));
    if (id === 6) for (let at = value; at < to; at++) addType(bytes[at] as number);
    if (id === 7) {
      const shape = readShape(bytes, value, to);
      names.count(8 * (shape?.length ?? 0));
      shapes.push(shape);
    }
  });
  return { types, texts, shapes };
}

/** The texts of the Const nodes among `nodes` that are `wanted`. */
function readKeys(
  bytes: Uint8Array,
  nodes: EachNode,
  wanted: ReadonlySet<string>,
  names: Names,
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  nodes((start, end) => {
    let [name, op] = ['', ''];
    const texts: string[] = [];
    eachField(bytes, start, end, (id, wire, value, to) => {
      if (wire !== BYTES) return;
      if (id === 1) name = names.read(value, to);
      if (id === 2) op = names.read(value, to);
      // Field 1 of a NodeDef comes before its attributes, in every writer there is.
      if (id === 5 && wanted.has(name)) texts.push(...textsOf(bytes, value, to, names));
    });
    if (op === 'Const' && wanted.has(name)) found.set(name, texts);
  });
  return found;
}

/** `string_val` (8) of the tensor (8) of the attribute `value`. */
function textsOf(bytes: Uint8Array, start: number, end: number, names: Names): string[] {
  const [key, from, to] = readEntry(bytes, start, end, names);
  const texts: string[] = [];
  if (key !== 'value') return texts;
  eachField(bytes, from, to, (id, wire, value, until) => {
    if (id !== 8 || wire !== BYTES) return;
    eachField(bytes, value, until, (part, kind, a, b) => {
      if (part === 8 && kind === BYTES) texts.push(names.keep(a, b));
    });
  });
  return texts;
}

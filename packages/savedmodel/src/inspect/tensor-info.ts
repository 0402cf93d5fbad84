import { dtypeName } from './dtypes.ts';
import type { Names } from './names.ts';
import type { SignatureReport, TensorReport } from './report.ts';
import { BYTES, eachField, VARINT } from '@fairway/core';

/** TensorFlow's own limit (TensorShape::MaxDimensions). */
const MAX_RANK = 254;
const MAX_SIGNATURES = 10_000;

/** TensorShapeProto; `null` when its rank is unknown. */
export function readShape(bytes: Uint8Array, start: number, end: number): number[] | null {
  const dims: number[] = [];
  let unknown = false;
  eachField(bytes, start, end, (id, wire, value, to) => {
    if (id === 3 && wire === VARINT) unknown = value !== 0;
    if (id !== 2 || wire !== BYTES) return;
    let size = 0;
    eachField(bytes, value, to, (dim, _, number) => {
      if (dim === 1) size = number;
    });
    if (size < -1 || dims.push(size) > MAX_RANK) throw new RangeError(`it has a tensor with dimension ${size}`);
  });
  return unknown ? null : dims;
}

/** A map entry's key, and where its value is; a value that is not there is an empty message. */
export function readEntry(bytes: Uint8Array, start: number, end: number, names: Names): [string, number, number] {
  let [key, from, to] = ['', end, end];
  eachField(bytes, start, end, (id, wire, value, until) => {
    if (wire !== BYTES) return;
    if (id === 1) key = names.keep(value, until);
    if (id === 2) [from, to] = [value, until];
  });
  return [key, from, to];
}

function readTensor(bytes: Uint8Array, name: string, start: number, end: number, names: Names): TensorReport {
  let [tensor, dtype] = ['', 0];
  let shape: number[] | null = null;
  let encoding: TensorReport['encoding'] = 'dense';
  eachField(bytes, start, end, (id, wire, value, to) => {
    if (id === 2 && wire === VARINT) dtype = value;
    if (wire !== BYTES) return;
    if (id === 1) tensor = names.keep(value, to);
    if (id === 3) {
      shape = readShape(bytes, value, to);
      names.count(8 * (shape?.length ?? 0));
    }
    if (id === 4) encoding = 'sparse';
    if (id === 5) encoding = 'composite';
  });
  return { name, tensor, dtype: dtypeName(dtype), shape, encoding };
}

const KINDS: Readonly<Record<string, SignatureReport['kind']>> = {
  'tensorflow/serving/predict': 'predict',
  'tensorflow/serving/classify': 'classify',
  'tensorflow/serving/regress': 'regress',
};

const kindOf = (name: string, method: string): SignatureReport['kind'] => {
  if (name === '__saved_model_init_op') return 'init';
  if (name === '__saved_model_train_op') return 'train';
  return KINDS[method] ?? 'other';
};

/** SignatureDef. The last of two tensors of one name wins, as everywhere in protobuf. */
export function readSignature(bytes: Uint8Array, start: number, end: number, names: Names): SignatureReport {
  const [name, from, to] = readEntry(bytes, start, end, names);
  const [inputs, outputs] = [new Map<string, TensorReport>(), new Map<string, TensorReport>()];
  let method = '';
  eachField(bytes, from, to, (id, wire, value, until) => {
    if (wire !== BYTES) return;
    if (id === 3) method = names.keep(value, until);
    if (id !== 1 && id !== 2) return;
    const [key, a, b] = readEntry(bytes, value, until, names);
    (id === 1 ? inputs : outputs).set(key, readTensor(bytes, key, a, b, names));
  });
  return {
    name,
    kind: kindOf(name, method),
    method,
    inputs: byName(inputs),
    outputs: byName(outputs),
    takesExamples: false,
  };
}

/** Sorted by UTF-16 order, the same on every machine. */
export const byName = <T extends { readonly name: string }>(map: ReadonlyMap<string, T>): T[] => {
  if (map.size > MAX_SIGNATURES) throw new RangeError(`it has ${map.size} names where thousands are many`);
  return [...map.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
};

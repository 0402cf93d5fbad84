import { BYTES, eachField, VARINT } from '@fairway/core';
import type { Json } from '../read-json.ts';
import {
  addFloats,
  addIntegers,
  brainFloat,
  exact,
  halfFloat,
  type Place,
  shortFloat,
  type Source,
  textOf,
} from './values.ts';

/** A short list is repeated to fill its shape: more values than this, beyond the bytes that came, are not made. */
const SPARE_VALUES = 65_536;
/** As deep as the reader of JSON goes. */
const MAX_RANK = 100;

type Numbers = {
  /** Field of TensorProto with the list of values (tensorflow/core/framework/tensor.proto). */
  readonly field: number;
  readonly list: 'float' | 'double' | 'integer';
  /** Bytes of one value in `tensor_content`, and how it is read there. */
  readonly width: number;
  readonly at: (bytes: Buffer, at: number) => Json;
  /** What an integer of the list means. */
  readonly of?: (value: number | bigint) => Json;
  /** A complex number is two. */
  readonly parts?: number;
};

const integers = (width: number, at: Numbers['at'], field = 7, of?: Numbers['of']): Numbers => ({
  field,
  list: 'integer',
  width,
  at,
  ...(of === undefined ? {} : { of }),
});
const int8 = integers(1, (bytes, at) => bytes.readInt8(at));
const uint8 = integers(1, (bytes, at) => bytes.readUInt8(at));
const int16 = integers(2, (bytes, at) => bytes.readInt16LE(at));
const uint16 = integers(2, (bytes, at) => bytes.readUInt16LE(at));
const int32 = integers(4, (bytes, at) => bytes.readInt32LE(at));
const float = (bytes: Buffer, at: number) => shortFloat(bytes.readFloatLE(at));
const double = (bytes: Buffer, at: number) => bytes.readDoubleLE(at);
const small = (read: (bits: number) => number): Numbers =>
  integers(
    2,
    (bytes, at) => shortFloat(read(bytes.readUInt16LE(at))),
    13,
    (bits) => shortFloat(read(Number(bits))),
  );
const unsigned = (value: number | bigint) => exact(BigInt.asUintN(64, BigInt(value)));

const STRING = 7;
/** By TensorFlow's DataType number (types.proto). Resources, variants and values smaller than a byte are not read. */
const NUMBERS: Readonly<Record<number, Numbers>> = {
  1: { field: 5, list: 'float', width: 4, at: float },
  2: { field: 6, list: 'double', width: 8, at: double },
  3: int32,
  4: uint8,
  5: int16,
  6: int8,
  8: { field: 9, list: 'float', width: 4, at: float, parts: 2 },
  9: integers(8, (bytes, at) => exact(bytes.readBigInt64LE(at)), 10),
  10: integers(
    1,
    (bytes, at) => bytes[at] !== 0,
    11,
    (value) => value !== 0,
  ),
  11: int8,
  12: uint8,
  13: int32,
  14: small(brainFloat),
  15: int16,
  16: uint16,
  17: uint16,
  18: { field: 12, list: 'double', width: 8, at: double, parts: 2 },
  19: small(halfFloat),
  22: integers(4, (bytes, at) => bytes.readUInt32LE(at), 16),
  23: integers(8, (bytes, at) => exact(bytes.readBigUInt64LE(at)), 17, unsigned),
};

/**
 * A TensorProto as TF Serving's JSON has a tensor: a value, or lists of lists in row-major order. Either form of the
 * values; a list that is too short repeats its last, an empty one is zeros, as in TensorFlow's Tensor::FromProto.
 * Throws RangeError when TensorFlow would refuse it, or when it is of a type that is not read.
 */
export function readTensor(source: Source, start: number, end: number): Json {
  const { dtype, dims, content } = headOf(source, start, end);
  const size = sizeOf(dims, end - start);
  const values =
    dtype === STRING ? texts(source, start, end, content, size) : numbers(source, start, end, dtype, content, size);
  return nested(values, dims);
}

type Head = { readonly dtype: number; readonly dims: readonly number[]; readonly content: Place | undefined };

function headOf({ bytes }: Source, start: number, end: number): Head {
  let dtype = 0;
  let content: Place | undefined;
  const dims: number[] = [];
  eachField(bytes, start, end, (id, wire, value, stop) => {
    if (id === 1 && wire === VARINT) dtype = value;
    if (id === 4 && wire === BYTES && stop > value) content = [wire, value, stop];
    if (id === 2 && wire === BYTES) {
      eachField(bytes, value, stop, (id, wire, value, stop) => {
        if (id === 3 && value !== 0) throw new RangeError('its tensor has no known rank');
        if (id === 2 && wire === BYTES) dims.push(dimOf(bytes, value, stop));
      });
    }
  });
  return { dtype, dims, content };
}

function dimOf(bytes: Buffer, start: number, end: number): number {
  let size = 0;
  eachField(bytes, start, end, (id, wire, value) => {
    if (id === 1 && wire === VARINT) size = value;
  });
  return size;
}

/** The number of values, and of lists on the way to them: a few bytes must not become millions of either. */
function sizeOf(dims: readonly number[], bytes: number): number {
  if (dims.length > MAX_RANK) throw new RangeError('its tensor has too many dimensions');
  let size = 1;
  for (const dim of dims) {
    size *= dim;
    if (!(size >= 0 && size <= bytes + SPARE_VALUES)) throw new RangeError('its tensor is too large');
  }
  return size;
}

function texts(source: Source, start: number, end: number, content: Place | undefined, size: number): Json[] {
  const given: Json[] = content ? contentTexts(source, content, size) : [];
  if (!content) {
    eachField(source.bytes, start, end, (id, wire, value, stop) => {
      if (id === 8 && wire === BYTES && given.length < size) given.push(textOf(source, value, stop));
    });
  }
  return filled(given, size, '');
}

/** The lengths of all texts, then all texts (TensorFlow's EncodeStringList). */
function contentTexts(source: Source, content: Place, size: number): Json[] {
  const [, start, end] = content;
  const lengths: number[] = [];
  let at = start;
  for (; lengths.length < size && at < end; at++) {
    const from = at;
    while (at < end - 1 && ((source.bytes[at] as number) & 0x80) !== 0) at++;
    addIntegers(source, [BYTES, from, at + 1], (length) => lengths.push(Number(length)));
  }
  return lengths.map((length) => {
    const from = at;
    at += length;
    if (length < 0 || at > end) throw new RangeError('its texts are cut off');
    return textOf(source, from, at);
  });
}

function numbers(
  source: Source,
  start: number,
  end: number,
  dtype: number,
  content: Place | undefined,
  size: number,
): Json[] {
  const kind = NUMBERS[dtype];
  if (kind === undefined) throw new RangeError(`its tensor is of data type ${dtype}`);
  const flat: Json[] = content ? contentNumbers(source, content, kind, size) : [];
  if (!content) {
    const add = (value: Json) => void flat.push(value);
    eachField(source.bytes, start, end, (id, wire, value, stop) => {
      if (id !== kind.field) return;
      const place: Place = [wire, value, stop];
      if (kind.list === 'integer') addIntegers(source, place, (value) => add(kind.of?.(value) ?? value));
      else addFloats(source, place, kind.list === 'float' ? 4 : 8, add);
    });
  }
  if (kind.parts === undefined) return filled(flat, size, kind.of?.(0) ?? 0);
  const pairs = Array.from({ length: Math.floor(flat.length / 2) }, (_, i) => flat.slice(i * 2, i * 2 + 2));
  return filled(pairs, size, [0, 0]);
}

function contentNumbers(
  { bytes }: Source,
  [, start, end]: Place,
  { width, at, parts = 1 }: Numbers,
  size: number,
): Json[] {
  if (end - start !== size * width * parts) throw new RangeError('its tensor has other bytes than its shape wants');
  return Array.from({ length: size * parts }, (_, i) => at(bytes, start + i * width));
}

function filled(given: readonly Json[], size: number, zero: Json): Json[] {
  const last = given.at(-1) ?? zero;
  return Array.from({ length: size }, (_, i) => (i < given.length ? (given[i] as Json) : last));
}

function nested(values: readonly Json[], dims: readonly number[]): Json {
  const steps = dims.map((_, depth) => dims.slice(depth + 1).reduce((size, dim) => size * dim, 1));
  const at = (depth: number, offset: number): Json =>
    depth === dims.length
      ? (values[offset] as Json)
      : Array.from({ length: dims[depth] as number }, (_, i) => at(depth + 1, offset + i * (steps[depth] as number)));
  return at(0, 0);
}

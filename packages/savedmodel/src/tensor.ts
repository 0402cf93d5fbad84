import type { DType } from '@fairway/core';
import { FairwayError } from '@fairway/core';
import type { ShapeProto, TensorProto } from './proto.ts';

/** Numbers in row-major order: DT_INT64 in a Float64Array (exact up to 2^53), DT_BOOL as 0 and 1. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;
export type NumberTensor = {
  readonly dtype: Exclude<DType, 'DT_STRING'>;
  readonly shape: readonly number[];
  readonly values: Numbers;
};
export type StringTensor = {
  readonly dtype: 'DT_STRING';
  readonly shape: readonly number[];
  readonly values: readonly string[];
};
export type Tensor = NumberTensor | StringTensor;

/** TensorFlow's DataType numbers (tensorflow/core/framework/types.proto). */
const CODES: Readonly<Record<DType, number>> = {
  DT_FLOAT: 1,
  DT_DOUBLE: 2,
  DT_INT32: 3,
  DT_STRING: 7,
  DT_INT64: 9,
  DT_BOOL: 10,
};

export const dtypeCode = (dtype: DType): number => CODES[dtype];

/** The DType of a DataType number; undefined for the types that Fairway does not carry. */
export const dtypeOf = (code: number | undefined): DType | undefined =>
  (Object.keys(CODES) as DType[]).find((dtype) => CODES[dtype] === code);

/** Whether Fairway carries a data type, by TensorFlow's name. */
export const carriedDType = (name: string): name is DType => Object.hasOwn(CODES, name);

/** Number of values of a shape without unknown dimensions. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, dim) => size * dim, 1);

const ARRAYS = {
  DT_FLOAT: Float32Array,
  DT_DOUBLE: Float64Array,
  DT_INT32: Int32Array,
  DT_INT64: Float64Array,
  DT_BOOL: Uint8Array,
} as const;

/** A zeroed array that holds `size` values of a numeric dtype. */
export const numbers = (dtype: NumberTensor['dtype'], size: number): Numbers => new ARRAYS[dtype](size);

/** A tensor of numbers; `values` are converted to the dtype's own precision. */
export const numberTensor = (
  dtype: NumberTensor['dtype'],
  shape: readonly number[],
  values: ArrayLike<number>,
): NumberTensor => ({ dtype, shape, values: ARRAYS[dtype].from(values) });

/** A tensor of texts. */
export const stringTensor = (shape: readonly number[], values: readonly string[]): StringTensor => ({
  dtype: 'DT_STRING',
  shape,
  values,
});

export const shapeToProto = (shape: readonly number[]): ShapeProto => ({ dim: shape.map((size) => ({ size })) });

/** Dimensions of a TensorShapeProto; undefined when even their number is unknown. */
export const shapeFromProto = (shape: ShapeProto | undefined): number[] | undefined =>
  shape === undefined || shape.unknownRank === true ? undefined : shape.dim.map(({ size }) => size ?? 0);

const VALUE_FIELDS = {
  DT_FLOAT: 'floatVal',
  DT_DOUBLE: 'doubleVal',
  DT_INT32: 'intVal',
  DT_INT64: 'int64Val',
  DT_BOOL: 'boolVal',
} as const;

/** TensorProto in the typed-list form, which TensorFlow reads on any byte order. */
export function tensorToProto(tensor: Tensor): TensorProto {
  const head = { dtype: dtypeCode(tensor.dtype), tensorShape: shapeToProto(tensor.shape) };
  if (tensor.dtype === 'DT_STRING') return { ...head, stringVal: tensor.values.map((text) => Buffer.from(text)) };
  const values = Array.from(tensor.values);
  return { ...head, [VALUE_FIELDS[tensor.dtype]]: tensor.dtype === 'DT_BOOL' ? values.map((v) => v !== 0) : values };
}

/** Reads a TensorProto in either form; a list that is too short repeats its last value, as TensorFlow does. */
export function tensorFromProto(proto: TensorProto, what: string): Tensor {
  const dtype = dtypeOf(proto.dtype);
  const shape = shapeFromProto(proto.tensorShape) ?? [];
  if (dtype === undefined) throw unsupported(`${what} has TensorFlow data type ${proto.dtype}`);
  const size = sizeOf(shape);
  if (dtype === 'DT_STRING') {
    const texts = (proto.stringVal ?? []).map((bytes) => Buffer.from(bytes).toString('utf8'));
    return stringTensor(
      shape,
      Array.from({ length: size }, (_, i) => texts[Math.min(i, texts.length - 1)] ?? ''),
    );
  }
  const values = numbers(dtype, size);
  const given = proto.tensorContent?.length
    ? fromContent(dtype, proto.tensorContent, size, what)
    : listOf(proto, dtype);
  for (let i = 0; i < size; i++) values[i] = Number(given[Math.min(i, given.length - 1)] ?? 0);
  return { dtype, shape, values };
}

const listOf = (proto: TensorProto, dtype: NumberTensor['dtype']): ArrayLike<number | boolean> =>
  proto[VALUE_FIELDS[dtype]] ?? [];

const WIDTH = { DT_FLOAT: 4, DT_DOUBLE: 8, DT_INT32: 4, DT_INT64: 8, DT_BOOL: 1 } as const;

function fromContent(dtype: NumberTensor['dtype'], bytes: Uint8Array, size: number, what: string): Float64Array {
  if (bytes.length !== size * WIDTH[dtype]) {
    throw unsupported(`${what} holds ${bytes.length} bytes for ${size} values of ${dtype}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = {
    DT_FLOAT: (at: number) => view.getFloat32(at, true),
    DT_DOUBLE: (at: number) => view.getFloat64(at, true),
    DT_INT32: (at: number) => view.getInt32(at, true),
    DT_INT64: (at: number) => Number(view.getBigInt64(at, true)),
    DT_BOOL: (at: number) => view.getUint8(at),
  }[dtype];
  return Float64Array.from({ length: size }, (_, i) => read(i * WIDTH[dtype]));
}

const unsupported = (what: string): FairwayError =>
  new FairwayError(
    'model.invalid',
    `${what}, which Fairway cannot read; export the model with float, integer, bool or string tensors.`,
  );

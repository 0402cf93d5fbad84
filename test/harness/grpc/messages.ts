import { message, type Part } from '../protobuf.ts';

/** TensorFlow's DataType numbers (tensorflow/core/framework/types.proto). */
export const DT = { FLOAT: 1, DOUBLE: 2, INT32: 3, STRING: 7, INT64: 9, BOOL: 10 } as const;

export type Spec = { readonly name: string; readonly version?: number; readonly label?: string };
export type Tensors = Readonly<Record<string, Uint8Array>>;

export const modelSpec = ({ name, version, label }: Spec): Uint8Array =>
  message(
    [1, name],
    ...(version === undefined ? [] : [[2, message([1, version])] as const]),
    ...(label === undefined ? [] : [[4, label] as const]),
  );

export const shapeOf = (dims: readonly number[]): Uint8Array =>
  message(...dims.map((size): Part => [2, message([1, size])]));

/** A TensorProto with one list of values, which the caller encodes. */
export const tensor = (dtype: number, dims: readonly number[], ...values: readonly Part[]): Uint8Array =>
  message([1, dtype], [2, shapeOf(dims)], ...values);

/** DT_FLOAT as `float_val`. */
export const floats = (dims: readonly number[], values: readonly number[]): Uint8Array =>
  tensor(DT.FLOAT, dims, [5, float32(values)]);

export const texts = (dims: readonly number[], values: readonly string[]): Uint8Array =>
  tensor(DT.STRING, dims, ...values.map((text): Part => [8, text]));

export function float32(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes;
}

const entries = (id: number, tensors: Tensors): Part[] =>
  Object.entries(tensors).map(([name, value]) => [id, message([1, name], [2, value])]);

export const predictRequest = (spec: Spec, inputs: Tensors): Uint8Array =>
  message([1, modelSpec(spec)], ...entries(2, inputs));

/** Fields in the order of their numbers, as every serialiser writes them: the spec comes last. */
export const predictResponse = (spec: Spec, outputs: Tensors): Uint8Array =>
  message(...entries(1, outputs), [2, modelSpec(spec)]);

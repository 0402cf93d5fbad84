import { FairwayError } from '@fairway/core';
import type { Expected, ExpectedTensor } from './expected.ts';

const FLOATS = ['DT_FLOAT', 'DT_DOUBLE', 'DT_HALF', 'DT_BFLOAT16'];
const INTEGERS = ['DT_INT32', 'DT_INT64', 'DT_INT8', 'DT_INT16', 'DT_UINT8', 'DT_UINT16', 'DT_UINT32', 'DT_UINT64'];

/**
 * Column types of an MLflow signature (mlflow.types.DataType). JSON does not tell a float from a double, and a whole number may be
 * given where the graph takes a float; the other way round TensorFlow Serving refuses it.
 */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  boolean: ['DT_BOOL'],
  integer: [...INTEGERS, ...FLOATS],
  long: [...INTEGERS, ...FLOATS],
  float: FLOATS,
  double: FLOATS,
  string: ['DT_STRING'],
  binary: ['DT_STRING'],
};

/** numpy's names of TensorFlow's types, as a tensor-spec has them: a tensor keeps its type exactly. */
const NUMPY: Readonly<Record<string, string>> = {
  float16: 'DT_HALF',
  bfloat16: 'DT_BFLOAT16',
  float32: 'DT_FLOAT',
  float64: 'DT_DOUBLE',
  int8: 'DT_INT8',
  int16: 'DT_INT16',
  int32: 'DT_INT32',
  int64: 'DT_INT64',
  uint8: 'DT_UINT8',
  uint16: 'DT_UINT16',
  uint32: 'DT_UINT32',
  uint64: 'DT_UINT64',
  complex64: 'DT_COMPLEX64',
  complex128: 'DT_COMPLEX128',
  bool: 'DT_BOOL',
  object: 'DT_STRING',
  str: 'DT_STRING',
  bytes: 'DT_STRING',
};

/** `signature` of an MLmodel file: lists, or the JSON texts in which MLflow writes them. */
export type MlflowSignature = { readonly inputs?: unknown; readonly outputs?: unknown };

type Json = Readonly<Record<string, unknown>>;

/** Throws `model.invalid` with a sentence when the signature is none. */
export function expectedOfMlflow({ inputs, outputs }: MlflowSignature): Expected {
  const from = 'the MLflow signature';
  const [given, answered] = [columns('inputs', inputs), columns('outputs', outputs)];
  return {
    from: { input: from, output: from },
    ...(given === undefined ? {} : { inputs: given }),
    ...(answered === undefined ? {} : { outputs: answered }),
  };
}

function columns(field: string, value: unknown): ExpectedTensor[] | undefined {
  const list = typeof value === 'string' ? parsed(field, value) : value;
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list) || list.some((item) => typeof item !== 'object' || item === null))
    throw wrong(field, 'must be a list of columns or tensors');
  return list.map((item: Json) => column(field, item));
}

function parsed(field: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw wrong(field, `is no JSON (${(error as Error).message})`);
  }
}

function column(field: string, item: Json): ExpectedTensor {
  const { name, type, required, optional } = item;
  if (name !== undefined && typeof name !== 'string') throw wrong(field, 'has a name that is no text');
  if (typeof type !== 'string') throw wrong(field, `has no type for ${name ?? 'a column'}`);
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    ...(required === false || optional === true ? { optional: true } : {}),
    ...(type === 'tensor' ? tensor(field, item['tensor-spec']) : { type, dtypes: COLUMNS[type] ?? [] }),
  };
}

function tensor(field: string, spec: unknown): Pick<ExpectedTensor, 'type' | 'dtypes' | 'shape'> {
  const { dtype, shape } = (spec ?? {}) as Json;
  if (typeof dtype !== 'string' || !Array.isArray(shape) || !shape.every((dim) => Number.isInteger(dim)))
    throw wrong(field, 'has a tensor without dtype or shape');
  // numpy writes texts of a fixed length as `<U12` or `|S12`.
  const known = /^[<>|=]?[US]\d*$/.test(dtype) ? 'DT_STRING' : NUMPY[dtype];
  return { type: dtype, dtypes: known === undefined ? [] : [known], shape: shape as number[] };
}

const wrong = (field: string, what: string): FairwayError =>
  new FairwayError(
    'model.invalid',
    `${field} of the MLflow signature ${what}; log the model again with mlflow.models.infer_signature.`,
  );

import { type DType, type ExactJson, isBase64, isExactList, isExactNumber, type TensorSpec } from '@fairway/core';

/** Rows of a case, learnt from the first tensor whose 0th dimension is open; all others must agree. */
export type Rows = { count: number | undefined };

/** In words why a nested list is no value of a tensor; undefined when it is one. */
export function misfit(value: ExactJson, { dtype, shape }: TensorSpec, rows: Rows): string | undefined {
  const dims: number[] = [];
  for (let level: ExactJson | undefined = value; isExactList(level); level = level[0]) dims.push(level.length);
  const fits = dims.length === shape.length && shape.every((dim, axis) => dim < 0 || dim === dims[axis]);
  if (!fits) return `has the shape [${dims.join(',')}], and the signature wants [${shape.join(',')}]`;
  if (shape[0] === -1) {
    rows.count ??= dims[0];
    if (rows.count !== dims[0]) return `has ${dims[0]} rows where the case has ${rows.count}`;
  }
  return unevenOrWrong(value, dtype, dims, 0);
}

function unevenOrWrong(value: ExactJson, dtype: DType, dims: readonly number[], level: number): string | undefined {
  if (level === dims.length) return isOf(value, dtype) ? undefined : `needs ${WORDS[dtype]} in every place`;
  if (!isExactList(value) || value.length !== dims[level]) return 'is a list of lists of different lengths';
  for (const item of value) {
    const found = unevenOrWrong(item, dtype, dims, level + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

const WORDS: Readonly<Record<DType, string>> = {
  DT_FLOAT: 'a number',
  DT_DOUBLE: 'a number',
  DT_INT32: 'a whole number of 32 bits',
  DT_INT64: 'a whole number of 64 bits',
  DT_STRING: 'a text or {"b64": …}',
  DT_BOOL: 'true or false',
};

function isOf(value: ExactJson, dtype: DType): boolean {
  if (dtype === 'DT_STRING') return typeof value === 'string' || isBase64(value);
  if (dtype === 'DT_BOOL') return typeof value === 'boolean';
  if (!isExactNumber(value)) return false;
  if (dtype === 'DT_FLOAT' || dtype === 'DT_DOUBLE') return true;
  return isWhole(value.number, dtype === 'DT_INT32' ? 31n : 63n);
}

/** Twenty characters hold every integer of 64 bits. */
function isWhole(text: string, bits: bigint): boolean {
  if (!/^-?\d{1,19}$/.test(text)) return false;
  const value = BigInt(text);
  return value >= -(2n ** bits) && value < 2n ** bits;
}

import type { Numbers, NumberTensor, Tensor } from './tensor.ts';
import { numbers, sizeOf } from './tensor.ts';

/** Shape of an element-wise result: right-aligned, dimensions equal or 1 (numpy's rule). Throws when they do not fit. */
function broadcastShape(...shapes: ReadonlyArray<readonly number[]>): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let dim = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own !== 1 && dim !== 1 && own !== dim) {
        throw new RangeError(`Incompatible shapes: ${shapes.map((s) => `[${s.join(',')}]`).join(' vs. ')}`);
      }
      if (own !== 1) dim = own;
    }
    return dim;
  });
}

/** For each value of `out` the index of the operand's value; undefined when they are the same. */
function indices(shape: readonly number[], out: readonly number[]): Int32Array | undefined {
  if (shape.length === out.length && shape.every((dim, axis) => dim === out[axis])) return undefined;
  const result = new Int32Array(sizeOf(out));
  let stride = 1;
  let block = 1;
  for (let axis = out.length - 1; axis >= 0; axis--) {
    const dim = out[axis] ?? 1;
    const own = shape[axis - out.length + shape.length] ?? 1;
    if (own !== 1) {
      for (let i = 0; i < result.length; i++) result[i] = (result[i] ?? 0) + (Math.floor(i / block) % dim) * stride;
    }
    stride *= own;
    block *= dim;
  }
  return result;
}

/** Reads an operand at each index of the broadcast result. */
function reader<T>(values: ArrayLike<T>, shape: readonly number[], out: readonly number[]): (i: number) => T {
  const index = indices(shape, out);
  return index === undefined ? (i) => values[i] as T : (i) => values[index[i] as number] as T;
}

export function valuesOf(tensor: Tensor | undefined): Numbers {
  if (tensor === undefined || tensor.dtype === 'DT_STRING') throw new RangeError('expected a tensor of numbers');
  return tensor.values;
}

/** Element-wise function of one operand; results are rounded to the result's dtype. */
export function unary(x: Tensor | undefined, fn: (x: number) => number, dtype?: NumberTensor['dtype']): NumberTensor {
  const input = valuesOf(x);
  const type = dtype ?? (x as NumberTensor).dtype;
  const values = numbers(type, input.length);
  for (let i = 0; i < input.length; i++) values[i] = fn(input[i] as number);
  return { dtype: type, shape: (x as NumberTensor).shape, values };
}

/** Element-wise function of two numeric operands with broadcasting. */
export function binary(
  a: Tensor | undefined,
  b: Tensor | undefined,
  fn: (a: number, b: number) => number,
  dtype?: NumberTensor['dtype'],
): NumberTensor {
  const [left, right] = [valuesOf(a), valuesOf(b)];
  const { dtype: own, shape: leftShape } = a as NumberTensor;
  const shape = broadcastShape(leftShape, (b as NumberTensor).shape);
  const [readLeft, readRight] = [reader(left, leftShape, shape), reader(right, (b as NumberTensor).shape, shape)];
  const values = numbers(dtype ?? own, sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = fn(readLeft(i), readRight(i));
  return { dtype: dtype ?? own, shape, values };
}

/** Element-wise equality of numbers or of texts, with broadcasting. */
export function equal(a: Tensor | undefined, b: Tensor | undefined): NumberTensor {
  if (a?.dtype !== 'DT_STRING' || b?.dtype !== 'DT_STRING') return binary(a, b, (x, y) => Number(x === y), 'DT_BOOL');
  const shape = broadcastShape(a.shape, b.shape);
  const [left, right] = [reader(a.values, a.shape, shape), reader(b.values, b.shape, shape)];
  const values = numbers('DT_BOOL', sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = Number(left(i) === right(i));
  return { dtype: 'DT_BOOL', shape, values };
}

/** `condition ? then : otherwise` per element, with broadcasting of all three. */
export function select(
  condition: Tensor | undefined,
  then: Tensor | undefined,
  otherwise: Tensor | undefined,
): NumberTensor {
  const [c, t, e] = [valuesOf(condition), valuesOf(then), valuesOf(otherwise)];
  const [cs, ts, es] = [condition, then, otherwise].map((tensor) => tensor?.shape ?? []) as [
    number[],
    number[],
    number[],
  ];
  const shape = broadcastShape(cs, ts, es);
  const [readC, readT, readE] = [reader(c, cs, shape), reader(t, ts, shape), reader(e, es, shape)];
  const { dtype } = then as NumberTensor;
  const values = numbers(dtype, sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = readC(i) === 0 ? readE(i) : readT(i);
  return { dtype, shape, values };
}

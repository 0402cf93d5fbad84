import { binary, equal, select, unary, valuesOf } from './broadcast.ts';
import type { AttrValue } from './proto.ts';
import type { NumberTensor, Tensor } from './tensor.ts';
import { dtypeOf, numbers, sizeOf, stringTensor, tensorFromProto } from './tensor.ts';

type Attrs = Readonly<Record<string, AttrValue>>;
type Inputs = ReadonlyArray<Tensor | undefined>;

/** Executes one node: its inputs in order and its attributes → its one output. Throws RangeError on shapes that do not fit. */
export type Kernel = (inputs: Inputs, attrs: Attrs) => Tensor;

/** Every op that can be executed, under TensorFlow's names. To add an op: one line here. Placeholders are fed. */
export const KERNELS: Readonly<Record<string, Kernel>> = {
  BiasAdd: ([x, bias]) => binary(x, bias, (a, b) => a + b),
  Cast: ([x], attrs) => unary(x, (v) => v, numericType(attrs['DstT'])),
  ClipByValue: ([x, low, high]) => binary(binary(x, low, Math.max), high, Math.min),
  ConcatV2: (inputs) => concat(inputs.slice(0, -1), valuesOf(inputs.at(-1))[0] ?? 0),
  Const: (_, attrs) => constant(attrs),
  Equal: ([a, b]) => equal(a, b),
  GreaterEqual: ([a, b]) => binary(a, b, (x, y) => Number(x >= y), 'DT_BOOL'),
  Identity: ([x]) => x as Tensor,
  IsNan: ([x]) => unary(x, (v) => Number(Number.isNaN(v)), 'DT_BOOL'),
  Log1p: ([x]) => unary(x, Math.log1p),
  MatMul: ([a, b], attrs) => matMul(a, b, attrs['transpose_a']?.b ?? false, attrs['transpose_b']?.b ?? false),
  Mul: ([a, b]) => binary(a, b, (x, y) => x * y),
  Pack: (inputs, attrs) => pack(inputs, attrs['axis']?.i ?? 0),
  RealDiv: ([a, b]) => binary(a, b, (x, y) => x / y),
  Relu: ([x]) => unary(x, (v) => (v > 0 || Number.isNaN(v) ? v : 0)),
  SelectV2: ([condition, then, otherwise]) => select(condition, then, otherwise),
  Sigmoid: ([x]) => unary(x, (v) => 1 / (1 + Math.exp(-v))),
  Squeeze: ([x], attrs) => squeeze(x, attrs['squeeze_dims']?.list?.i ?? []),
  StringStrip: ([x]) => strip(x),
  Sub: ([a, b]) => binary(a, b, (x, y) => x - y),
};

function constant(attrs: Attrs): Tensor {
  const tensor = attrs['value']?.tensor;
  if (tensor === undefined) throw new RangeError('a Const node has no value');
  return tensorFromProto(tensor, 'A constant');
}

function numericType(attr: AttrValue | undefined): NumberTensor['dtype'] {
  const dtype = dtypeOf(attr?.type);
  if (dtype === undefined || dtype === 'DT_STRING') throw new RangeError(`cannot cast to data type ${attr?.type ?? 0}`);
  return dtype;
}

function strip(x: Tensor | undefined): Tensor {
  if (x?.dtype !== 'DT_STRING') throw new RangeError('StringStrip needs a tensor of texts');
  return stringTensor(
    x.shape,
    x.values.map((text) => text.trim()),
  );
}

function squeeze(x: Tensor | undefined, dims: readonly number[]): Tensor {
  if (x === undefined) throw new RangeError('Squeeze needs a tensor');
  const rank = x.shape.length;
  const axes = dims.map((dim) => (dim < 0 ? dim + rank : dim));
  const shape = x.shape.filter((dim, axis) => !(axes.length === 0 ? dim === 1 : axes.includes(axis)));
  if (sizeOf(shape) !== sizeOf(x.shape)) throw new RangeError('Squeeze needs dimensions of size 1');
  return { ...x, shape };
}

/** Joins along an existing axis. */
function concat(inputs: Inputs, axis: number): NumberTensor {
  const first = inputs[0] as NumberTensor;
  const at = axis < 0 ? axis + first.shape.length : axis;
  const outer = sizeOf(first.shape.slice(0, at));
  const widths = inputs.map((input) => sizeOf((input as NumberTensor).shape.slice(at)));
  const row = widths.reduce((sum, width) => sum + width, 0);
  const values = numbers(first.dtype, outer * row);
  let column = 0;
  for (const [k, input] of inputs.entries()) {
    const source = valuesOf(input);
    const width = widths[k] as number;
    if (source.length !== outer * width) throw new RangeError('ConcatV2 needs equal leading dimensions');
    for (let i = 0; i < outer; i++) values.set(source.subarray(i * width, (i + 1) * width), i * row + column);
    column += width;
  }
  const joined = inputs.reduce((sum, input) => sum + ((input as NumberTensor).shape[at] ?? 0), 0);
  return { dtype: first.dtype, shape: first.shape.with(at, joined), values };
}

/** Joins along a new axis. */
function pack(inputs: Inputs, axis: number): NumberTensor {
  const rank = (inputs[0] as NumberTensor).shape.length + 1;
  const at = axis < 0 ? axis + rank : axis;
  return concat(
    inputs.map((input) => ({ ...(input as NumberTensor), shape: (input as NumberTensor).shape.toSpliced(at, 0, 1) })),
    at,
  );
}

/** Product of two matrices; sums are kept in double precision and rounded once. */
function matMul(a: Tensor | undefined, b: Tensor | undefined, transposeA: boolean, transposeB: boolean): NumberTensor {
  const [left, right] = [valuesOf(a), valuesOf(b)];
  const [a0 = 0, a1 = 0] = (a as NumberTensor).shape;
  const [b0 = 0, b1 = 0] = (b as NumberTensor).shape;
  const [rows, inner] = transposeA ? [a1, a0] : [a0, a1];
  const [other, columns] = transposeB ? [b1, b0] : [b0, b1];
  if (inner !== other) throw new RangeError(`Matrix size-incompatible: [${a0},${a1}] and [${b0},${b1}]`);
  const values = numbers((a as NumberTensor).dtype, rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        const x = left[transposeA ? k * a1 + i : i * a1 + k] as number;
        sum += x * (right[transposeB ? j * b1 + k : k * b1 + j] as number);
      }
      values[i * columns + j] = sum;
    }
  }
  return { dtype: (a as NumberTensor).dtype, shape: [rows, columns], values };
}

import { expect, test } from 'vitest';
import { attr } from './graph.ts';
import { KERNELS } from './kernels.ts';
import type { Tensor } from './tensor.ts';
import { numberTensor, stringTensor } from './tensor.ts';

const floats = (shape: number[], ...values: number[]) => numberTensor('DT_FLOAT', shape, values);
const bools = (shape: number[], ...values: number[]) => numberTensor('DT_BOOL', shape, values);
const axis = (value: number) => numberTensor('DT_INT32', [], [value]);
const cast = (dtype: 'DT_FLOAT' | 'DT_INT64') => ({ DstT: attr.type(dtype) });
const NAN = Number.NaN;

type Case = [
  op: string,
  inputs: Tensor[],
  attrs: Parameters<(typeof KERNELS)[string]>[1],
  shape: number[],
  values: unknown[],
];

test.each<Case>([
  ['BiasAdd', [floats([2, 2], 1, 2, 3, 4), floats([2], 10, 20)], {}, [2, 2], [11, 22, 13, 24]],
  ['Cast', [bools([2], 0, 1)], cast('DT_INT64'), [2], [0, 1]],
  ['ClipByValue', [floats([3], -9, 1, 9), floats([], -4), floats([], 4)], {}, [3], [-4, 1, 4]],
  ['ConcatV2', [floats([2, 1], 1, 2), floats([2, 2], 3, 4, 5, 6), axis(1)], {}, [2, 3], [1, 3, 4, 2, 5, 6]],
  ['ConcatV2', [floats([1, 2], 1, 2), floats([1, 2], 3, 4), axis(0)], {}, [2, 2], [1, 2, 3, 4]],
  ['ConcatV2', [floats([1, 2], 1, 2), floats([1, 1], 3), axis(-1)], {}, [1, 3], [1, 2, 3]],
  ['Equal', [stringTensor([2], ['a', 'b']), stringTensor([], ['b'])], {}, [2], [0, 1]],
  ['Equal', [floats([2], 1, 2), floats([2], 1, 3)], {}, [2], [1, 0]],
  ['GreaterEqual', [floats([3], 0.4, 0.5, NAN), floats([], 0.5)], {}, [3], [0, 1, 0]],
  ['Identity', [floats([1], 7)], {}, [1], [7]],
  ['IsNan', [floats([2], NAN, 0)], {}, [2], [1, 0]],
  ['Log1p', [floats([1], 0)], {}, [1], [0]],
  ['MatMul', [floats([2, 3], 1, 2, 3, 4, 5, 6), floats([3, 1], 1, 0, 2)], {}, [2, 1], [7, 16]],
  [
    'MatMul',
    [floats([3, 2], 1, 4, 2, 5, 3, 6), floats([3, 1], 1, 0, 2)],
    { transpose_a: attr.bool(true) },
    [2, 1],
    [7, 16],
  ],
  [
    'MatMul',
    [floats([2, 3], 1, 2, 3, 4, 5, 6), floats([1, 3], 1, 0, 2)],
    { transpose_b: attr.bool(true) },
    [2, 1],
    [7, 16],
  ],
  ['Mul', [floats([2, 1], 2, 3), floats([1, 2], 5, 7)], {}, [2, 2], [10, 14, 15, 21]],
  ['Pack', [floats([2], 1, 2), floats([2], 3, 4)], { axis: attr.int(1) }, [2, 2], [1, 3, 2, 4]],
  ['Pack', [floats([2], 1, 2), floats([2], 3, 4)], { axis: attr.int(0) }, [2, 2], [1, 2, 3, 4]],
  ['RealDiv', [floats([2], 1, 9), floats([], 2)], {}, [2], [0.5, 4.5]],
  ['Relu', [floats([3], -1, 2, NAN)], {}, [3], [0, 2, NAN]],
  ['SelectV2', [bools([2, 2], 1, 0, 0, 1), floats([2], 8, 9), floats([2, 2], 1, 2, 3, 4)], {}, [2, 2], [8, 2, 3, 9]],
  ['Sigmoid', [floats([3], -200, 0, 200)], {}, [3], [0, 0.5, 1]],
  ['Squeeze', [floats([2, 1], 1, 2)], { squeeze_dims: attr.ints([1]) }, [2], [1, 2]],
  ['Squeeze', [floats([1, 2, 1], 1, 2)], {}, [2], [1, 2]],
  ['StringStrip', [stringTensor([2], [' a ', 'b'])], {}, [2], ['a', 'b']],
  ['Sub', [floats([], 1), floats([2], 0.25, 1)], {}, [2], [0.75, 0]],
])('%s', (op, inputs, attrs, shape, values) => {
  const result = KERNELS[op]?.(inputs, attrs);
  expect(result?.shape).toEqual(shape);
  expect([...(result?.values ?? [])]).toEqual(values);
});

test.each<[string, Tensor[]]>([
  ['Sub', [floats([2], 1, 2), floats([3], 1, 2, 3)]],
  ['MatMul', [floats([1, 2], 1, 2), floats([3, 1], 1, 2, 3)]],
  ['ConcatV2', [floats([2, 1], 1, 2), floats([3, 1], 1, 2, 3), axis(1)]],
  ['StringStrip', [floats([1], 1)]],
  ['Relu', [stringTensor([1], ['a'])]],
])('%s refuses operands that do not fit', (op, inputs) => {
  expect(() => KERNELS[op]?.(inputs, {})).toThrow(RangeError);
});

import type { Signature, TensorSpec } from '@fairway/core';
import { numberTensor, stringTensor } from '@fairway/savedmodel';
import { expect, test } from 'vitest';
import { writePredictAnswer } from './answer.ts';
import { readPredictRequest } from './request.ts';

const spec = (name: string, dtype: TensorSpec['dtype'], ...shape: number[]): TensorSpec => ({ name, dtype, shape });
const signature = (...inputs: TensorSpec[]): Signature => ({
  name: 'serving_default',
  method: '',
  inputs,
  outputs: [],
});
const two = signature(spec('x', 'DT_FLOAT', -1), spec('s', 'DT_STRING', -1));
const read = (text: string, inputs = two) => readPredictRequest(text, () => inputs);

test('row form with several inputs', () => {
  expect(read('{"instances":[{"x":NaN,"s":"a"},{"s":{"b64":"Yg=="},"x":2}]}')).toEqual({
    form: 'row',
    inputs: { x: numberTensor('DT_FLOAT', [2], [Number.NaN, 2]), s: stringTensor([2], ['a', 'b']) },
  });
});

test('columnar form ignores further keys', () => {
  expect(read('{"inputs":{"x":[1],"s":["a"],"z":0}}')).toEqual({
    form: 'columnar',
    inputs: { x: numberTensor('DT_FLOAT', [1], [1]), s: stringTensor([1], ['a']) },
  });
});

test.each<[string, Signature, ReturnType<typeof numberTensor>]>([
  ['{"instances":[1, 2.5]}', signature(spec('x', 'DT_DOUBLE', -1)), numberTensor('DT_DOUBLE', [2], [1, 2.5])],
  ['{"instances":[{"x":1}]}', signature(spec('x', 'DT_INT64', -1)), numberTensor('DT_INT64', [1], [1])],
  [
    '{"instances":[[1,2],[3,4]]}',
    signature(spec('x', 'DT_INT32', -1, 2)),
    numberTensor('DT_INT32', [2, 2], [1, 2, 3, 4]),
  ],
  ['{"inputs":[true,false]}', signature(spec('x', 'DT_BOOL', -1)), numberTensor('DT_BOOL', [2], [1, 0])],
])('one input: %s', (text, inputs, tensor) => {
  expect(read(text, inputs).inputs).toEqual({ x: tensor });
});

test.each([
  ['[1]', /Is not object/],
  ['{}', /^Missing 'inputs' or 'instances' key$/],
  ['{"instances":[],"inputs":[]}', /expecting only one of/],
  ['{"instances":1}', /to be an list\/array/],
  ['{"instances":[]}', /No values in 'instances' array/],
  ['{"signature_name":1,"instances":[1]}', /'signature_name' key must be a string/],
  ['{"instances":[1]}', /^instances is a plain list/],
  ['{"instances":[{"x":1,"s":"a"},2]}', /^Expecting object but got list at item 1/],
  ['{"instances":[{"x":1}]}', /of 'instances' list. JSON object: {"x": 1} keys must be equal to: x,s$/],
  ['{"instances":[{"x":1,"s":"a","z":1}]}', /key: z .* does not have named input: z/],
  ['{"instances":[{"x":"1","s":"a"}]}', /^JSON Value: "1" Type: String is not of expected type: float$/],
  ['{"instances":[{"x":null,"s":"a"}]}', /Type: Null is not of expected type: float/],
  ['{"instances":[{"x":16777217,"s":"a"}]}', /to float without loss of precision/],
  ['{"instances":[{"x":1e39,"s":"a"}]}', /to float without loss of precision/],
  ['{"instances":[{"x":1,"s":2}]}', /is not of expected type: string/],
  ['{"instances":[{"x":1,"s":{"b64":"*"}}]}', /^Unable to base64 decode$/],
  ['{"instances":[{"x":1,"s":{"a":"*"}}]}', /not formatted correctly for base64 data/],
  ['{"instances":[{"x":[1],"s":"a"}]}', /^Tensor x has shape \[1,1\], but the signature wants \[-1\]$/],
  [
    '{"instances":[{"x":[1],"s":"a"},{"x":[1,2],"s":"a"}]}',
    /Encountered list at unexpected size: 2 at level: 1 expected size: 1/,
  ],
  ['{"instances":[{"x":[1],"s":"a"},{"x":2,"s":"a"}]}', /found at incorrect level: 2/],
  ['{"inputs":[1]}', /^inputs is a plain value\/list/],
  ['{"inputs":{"x":[1]}}', /^Missing named input: s in 'inputs' object.$/],
])('%s is refused', (text, message) => {
  expect(() => read(text)).toThrow(message);
});

test('integer types take integer tokens in range only', () => {
  const int32 = signature(spec('x', 'DT_INT32', -1));
  for (const token of ['1.0', '2147483648', 'NaN', '"1"']) {
    expect(() => read(`{"instances":[${token}]}`, int32)).toThrow('is not of expected type: int32');
  }
});

const P = numberTensor('DT_FLOAT', [2], [0.1, 1]);
const CLASS = numberTensor('DT_INT64', [2], [0, 1]);

test('several outputs are named, one is not', () => {
  expect(writePredictAnswer({ p: P, class: CLASS }, 'row')).toBe(
    '{"predictions": [{"class": 0, "p": 0.1}, {"class": 1, "p": 1.0}]}',
  );
  expect(writePredictAnswer({ p: P, class: CLASS }, 'columnar')).toBe(
    '{"outputs": {"class": [0, 1], "p": [0.1, 1.0]}}',
  );
  expect(writePredictAnswer({ p: P }, 'row')).toBe('{"predictions": [0.1, 1.0]}');
  expect(writePredictAnswer({ p: P }, 'columnar')).toBe('{"outputs": [0.1, 1.0]}');
});

test('row form needs one batch size in all outputs', () => {
  expect(() => writePredictAnswer({ a: P, b: numberTensor('DT_FLOAT', [1], [1]) }, 'row')).toThrow(
    'inconsistent batch size: 1',
  );
  expect(() => writePredictAnswer({ a: numberTensor('DT_FLOAT', [], [1]) }, 'row')).toThrow('has no shape information');
});

test.each([
  [0.1, '0.1'],
  [1 / 3, '0.33333334'],
  [16_777_216, '16777216.0'],
  [1e-7, '1e-7'],
  [-0, '-0.0'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
])('float %d is written as %s', (value, text) => {
  expect(writePredictAnswer({ p: numberTensor('DT_FLOAT', [], [value]) }, 'columnar')).toBe(`{"outputs": ${text}}`);
});

test('nested, text, bool and bytes outputs', () => {
  const outputs = {
    m: numberTensor('DT_DOUBLE', [1, 2], [0.1, 1 / 3]),
    on: numberTensor('DT_BOOL', [1], [1]),
    s: stringTensor([1], ['a"']),
    s_bytes: stringTensor([1], ['b']),
  };
  expect(writePredictAnswer(outputs, 'row')).toBe(
    '{"predictions": [{"m": [0.1, 0.3333333333333333], "on": true, "s": "a\\"", "s_bytes": {"b64": "Yg=="}}]}',
  );
});

import { expect, test } from 'vitest';
import { CORE_OPS } from './core-ops.ts';
import { judgeOps } from './ops.ts';

test("the list of TensorFlow's ops is whole and sorted", () => {
  const names = CORE_OPS.trim().split(/\s+/);
  expect(names).toHaveLength(1731);
  expect(new Set(names).size).toBe(names.length);
  expect([...names].sort()).toEqual(names);
});

test.each([
  ['MatMul', 'tensorflow'],
  ['RaggedTensorToSparse', 'tensorflow'],
  ['_FusedConv2D', 'tensorflow'],
  ['PyFunc', 'python'],
  ['PyFuncStateless', 'python'],
  ['EagerPyFunc', 'python'],
  ['TFText>FastWordpieceTokenizeWithOffsets', 'serving'],
  ['SentencepieceOp', 'serving'],
  ['SimpleMLInferenceOpWithHandle', 'serving'],
  ['Addons>Rrelu', 'custom'],
  ['BankScore', 'custom'],
])('%s: %s', (op, verdict) => {
  expect(judgeOps('2.11.0')(op)).toBe(verdict);
});

test('an unknown op of a newer TensorFlow may be new there, one with a namespace is not', () => {
  const judge = judgeOps('2.30.1');
  expect(judge('FancyNewOp')).toBe('newer');
  expect(judge('Addons>Rrelu')).toBe('custom');
  expect(judgeOps(undefined)('FancyNewOp')).toBe('custom');
});

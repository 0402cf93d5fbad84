import type { Signature, Variable } from '@fairway/core';
import { describe, expect, test } from 'vitest';
import { compareWithRegistration } from './compare.ts';
import { expectedOfVariables, variablesOf } from './expected.ts';
import { expectedOfMlflow } from './mlflow.ts';
import { checkSignature } from './registration.ts';

const tensor = (name: string, dtype: Signature['inputs'][number]['dtype'], shape = [-1, 1]) => ({ name, dtype, shape });

const signature: Signature = {
  name: 'serving_default',
  method: 'tensorflow/serving/predict',
  inputs: [tensor('JOB', 'DT_STRING'), tensor('LOAN', 'DT_FLOAT')],
  outputs: [tensor('P_BAD1', 'DT_FLOAT', [-1])],
};

const variables: Variable[] = [
  { name: 'JOB', type: 'string', role: 'input' },
  { name: 'LOAN', type: 'decimal', role: 'input' },
  { name: 'P_BAD1', type: 'decimal', role: 'output' },
];

const mismatches = (expected: Parameters<typeof compareWithRegistration>[1], of = signature) =>
  compareWithRegistration(of, expected).map(({ problem, role, tensor }) => `${problem}: ${role} ${tensor}`);

describe("SAS Model Manager's variables", () => {
  test('fit where names, kinds and one value for each row agree', () => {
    expect(checkSignature(signature, variables)).toEqual([]);
  });

  test('every difference is told with both sides', () => {
    const other: Variable[] = [
      { name: 'JOB', type: 'decimal', role: 'input' },
      { name: 'VALUE', type: 'decimal', role: 'input' },
      { name: 'P_BAD1', type: 'decimal', role: 'output' },
    ];
    const wide = { ...signature, outputs: [tensor('P_BAD1', 'DT_FLOAT', [-1, 2])] };
    expect(compareWithRegistration(wide, expectedOfVariables(other))).toEqual([
      {
        problem: 'wrong type',
        role: 'input',
        tensor: 'JOB',
        sentence: 'input JOB is decimal in inputVar.json but DT_STRING in the model',
      },
      {
        problem: 'missing',
        role: 'input',
        tensor: 'VALUE',
        sentence: 'input VALUE is in inputVar.json but not in the signature',
      },
      {
        problem: 'extra',
        role: 'input',
        tensor: 'LOAN',
        sentence: 'input LOAN is in the signature but not in inputVar.json',
      },
      {
        problem: 'wrong shape',
        role: 'output',
        tensor: 'P_BAD1',
        sentence: 'output P_BAD1 is one value for each row in outputVar.json but [-1, 2] in the model',
      },
    ]);
  });

  test.each([
    [[], true],
    [[-1, 1, 1], true],
    [[-1, 3], true],
    [[-1], false],
    [[8, 1], false],
    [[-1, -1], false],
  ])('one value for each row: shape %j is wrong: %s', (shape, wrong) => {
    const one = { ...signature, outputs: [tensor('P_BAD1', 'DT_FLOAT', shape)] };
    expect(checkSignature(one, variables)).toHaveLength(wrong ? 1 : 0);
  });

  test('the probability has to be an output', () => {
    const expected = expectedOfVariables(variables, { variable: 'BAD', event: '1', probability: 'EM_EVENT' });
    expect(mismatches(expected)).toEqual(['missing: output EM_EVENT']);
  });
});

describe('an MLflow signature', () => {
  const columns = (inputs: unknown) => ({ ...expectedOfMlflow({ inputs: JSON.stringify(inputs) }) });

  test('of columns fits, written as text or as lists', () => {
    const inputs = [
      { type: 'string', name: 'JOB', required: true },
      { type: 'double', name: 'LOAN', required: true },
    ];
    const outputs = [{ type: 'float', name: 'P_BAD1' }];
    for (const given of [
      { inputs, outputs },
      { inputs: JSON.stringify(inputs), outputs: JSON.stringify(outputs), params: null },
    ])
      expect(mismatches(expectedOfMlflow(given))).toEqual([]);
  });

  test('a column that is not required may be missing; others may not', () => {
    const base = [
      { type: 'string', name: 'JOB' },
      { type: 'long', name: 'LOAN' },
    ];
    expect(mismatches(columns([...base, { type: 'double', name: 'AGE', required: false }]))).toEqual([]);
    expect(mismatches(columns([...base, { type: 'double', name: 'AGE' }]))).toEqual(['missing: input AGE']);
    expect(mismatches(columns([base[0], { type: 'boolean', name: 'LOAN' }]))).toEqual(['wrong type: input LOAN']);
  });

  const spec = (dtype: string, shape: number[], name?: string) => ({
    type: 'tensor',
    'tensor-spec': { dtype, shape },
    ...(name === undefined ? {} : { name }),
  });

  test('tensors have to agree in type and shape', () => {
    const inputs = [spec('str', [-1, 1], 'JOB'), spec('float32', [-1, 1], 'LOAN')];
    expect(mismatches(columns(inputs))).toEqual([]);
    expect(mismatches(columns([inputs[0], spec('float64', [-1, 1], 'LOAN')]))).toEqual(['wrong type: input LOAN']);
    expect(mismatches(columns([inputs[0], spec('float32', [-1, 4], 'LOAN')]))).toEqual(['wrong shape: input LOAN']);
    expect(mismatches(columns([inputs[0], spec('float32', [-1], 'LOAN')]))).toEqual(['wrong shape: input LOAN']);
    expect(mismatches(columns([spec('<U12', [-1, 1], 'JOB'), inputs[1]]))).toEqual([]);
  });

  test('one tensor without a name means the only one', () => {
    const one = { ...signature, inputs: [tensor('dense_input', 'DT_FLOAT', [-1, 4])] };
    expect(mismatches(columns([spec('float32', [-1, 4])]), one)).toEqual([]);
    expect(mismatches(columns([spec('float32', [-1, 5])]), one)).toEqual(['wrong shape: input dense_input']);
    expect(mismatches(columns([spec('float32', [-1, 4])]))).toEqual([
      'missing: input without a name',
      'extra: input JOB',
      'extra: input LOAN',
    ]);
  });

  test('becomes variables', () => {
    const inputs = [{ type: 'string', name: 'JOB' }, spec('float32', [-1, 1], 'LOAN'), spec('float32', [-1, 1])];
    expect(variablesOf(expectedOfMlflow({ inputs }))).toEqual([
      { name: 'JOB', type: 'string', role: 'input' },
      { name: 'LOAN', type: 'decimal', role: 'input' },
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    ['broken text', '[{', /^inputs of the MLflow signature is no JSON/],
    ['no list', { a: 1 }, /must be a list/],
    ['a column without a type', [{ name: 'x' }], /has no type for x/],
    [
      'a tensor without a shape',
      [{ type: 'tensor', 'tensor-spec': { dtype: 'float32' } }],
      /a tensor without dtype or shape/,
    ],
  ])('%s is refused', (_, inputs, message) => {
    expect(() => expectedOfMlflow({ inputs })).toThrow(message);
  });
});

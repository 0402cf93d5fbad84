import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Signature } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenProblems, loadGolden } from './golden.ts';

const signature: Signature = {
  name: 'serving_default',
  method: 'tensorflow/serving/predict',
  inputs: [
    { name: 'AGE', dtype: 'DT_FLOAT', shape: [-1, 1] },
    { name: 'JOB', dtype: 'DT_STRING', shape: [-1, 1] },
    { name: 'N', dtype: 'DT_INT64', shape: [-1] },
  ],
  outputs: [
    { name: 'CLASS', dtype: 'DT_STRING', shape: [-1] },
    { name: 'P', dtype: 'DT_FLOAT', shape: [-1, 2] },
  ],
};
const inputs = '{"AGE":[[1.5],[NaN]],"JOB":[["a"],[{"b64":"AA=="}]],"N":[1,9223372036854775807]}';
const outputs = '{"P":[[0.1,0.9],[1,0]],"CLASS":["x","y"]}';
const column = (asked = inputs, wanted = outputs) => `{"inputs":${asked},"outputs":${wanted}}`;
const row = (instances: string, wanted = '{"CLASS":["x"]}') => `{"instances":${instances},"outputs":${wanted}}`;

describe('golden cases against a signature', () => {
  it.each([
    ['by column', column()],
    ['some outputs only', column(inputs, '{"CLASS":["x","y"]}')],
    ['by row', row('[{"AGE":[1],"JOB":["a"],"N":2}]')],
  ])('%s: nothing to say', (_, text) => expect(goldenProblems(text, signature)).toEqual([]));

  it.each([
    [column(inputs.replace('"N"', '"M"')), 'input M is not in the signature, which has AGE, JOB, N'],
    [column(inputs.replace('"N"', '"M"')), 'input N of the signature is missing'],
    [column(inputs, '{"Q":[[1],[1]]}'), 'output Q is not in the signature, which has CLASS, P'],
    [column('[1]'), 'inputs must be an object by tensor name'],
    [column(inputs.replace('1.5', '"x"')), 'input AGE needs a number in every place'],
    [column(inputs.replace('"a"', '1')), 'input JOB needs a text'],
    [column(inputs.replace('07]', '08]')), 'input N needs a whole number of 64 bits'],
    [column(inputs.replace('[1,', '[1.0,')), 'input N needs a whole number of 64 bits'],
    [column(inputs.replace(',[NaN]', '')), 'input JOB has 2 rows where the case has 1'],
    [column(inputs.replace('[NaN]', 'NaN')), 'input AGE is a list of lists of different lengths'],
    [column(inputs.replace('[[1.5],[NaN]]', '[1.5,2]')), 'input AGE has the shape [2], and the signature wants [-1,1]'],
    [column(inputs, '{"P":[[0.1,0.9]]}'), 'output P has 1 rows where the case has 2'],
    [column(inputs, '{"P":[[0.1],[0.9]]}'), 'output P has the shape [2,1], and the signature wants [-1,2]'],
    [row('[]'), 'instances must be a list with at least one row'],
    [row('[{"AGE":[1],"JOB":["a"]}]'), 'row 1 of instances must be an object with exactly the inputs'],
    [row('[[1]]'), 'row 1 of instances must be an object with exactly the inputs'],
  ])('problem %#', (text, said) =>
    expect(goldenProblems(text, signature).join('; ')).toContain(`golden.jsonl line 1: ${said}`),
  );

  it('takes bare rows of a model with one input', () => {
    const one = { ...signature, inputs: signature.inputs.slice(0, 1), outputs: signature.outputs.slice(0, 1) };
    expect(goldenProblems('{"instances":[[1],[2]],"outputs":{"CLASS":["x","y"]}}', one)).toEqual([]);
    expect(goldenProblems('{"instances":[{"AGE":[1]}],"outputs":{"CLASS":["x"]}}', one)).toEqual([]);
  });

  it('lists twenty problems and counts the others', () => {
    const problems = goldenProblems('{}\n'.repeat(50), signature);
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('golden.jsonl has 30 more problems');
  });
});

describe('golden.jsonl of a version folder', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'fairway-golden-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('may be missing, is taken byte for byte, and must be UTF-8', async () => {
    expect(await loadGolden(dir, signature)).toEqual({ problems: [] });
    writeFileSync(join(dir, 'golden.jsonl'), `${column()}\r\n`);
    expect(await loadGolden(dir, signature)).toEqual({ golden: `${column()}\r\n`, problems: [] });
    writeFileSync(join(dir, 'golden.jsonl'), Buffer.from([0xff, 0xfe]));
    expect(await loadGolden(dir, signature)).toEqual({ problems: ['golden.jsonl is not UTF-8'] });
    writeFileSync(join(dir, 'golden.jsonl'), Buffer.alloc(1_000_000, 32));
    expect((await loadGolden(dir, signature)).problems[0]).toContain('1000000 bytes');
  });
});

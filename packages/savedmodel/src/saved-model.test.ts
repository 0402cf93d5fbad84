import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestTree, savedModelMembers } from './digest.ts';
import { executable } from './execute.ts';
import { attr, graphBuilder } from './graph.ts';
import { encodeSavedModel } from './proto.ts';
import { constantOf, readSavedModel } from './read.ts';
import { dtypeCode, numberTensor, shapeToProto, stringTensor, tensorFromProto } from './tensor.ts';
import { writeSavedModel } from './write.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fairway-savedmodel-'));
});
afterEach(() => rm(dir, { recursive: true }));

const T = { T: attr.type('DT_FLOAT') };

/** y = 2x, and whether `flag` is "on". */
async function writeDoubler(op = 'Mul'): Promise<void> {
  const g = graphBuilder();
  g.placeholder('x', 'DT_FLOAT', [-1]);
  g.placeholder('flag', 'DT_STRING', [-1]);
  g.constant('two', numberTensor('DT_FLOAT', [], [2]));
  g.constant('on', stringTensor([], ['on']));
  g.op(op, 'y', ['x', 'two'], T);
  g.op('Equal', 'is_on', ['flag', 'on'], { T: attr.type('DT_STRING'), incompatible_shape_error: attr.bool(false) });
  await writeSavedModel(dir, g.build(), {
    serving_default: {
      inputs: {
        x: { node: 'x', dtype: 'DT_FLOAT', shape: [-1] },
        flag: { node: 'flag', dtype: 'DT_STRING', shape: [-1] },
      },
      outputs: {
        y: { node: 'y', dtype: 'DT_FLOAT', shape: [-1] },
        is_on: { node: 'is_on', dtype: 'DT_BOOL', shape: [-1] },
      },
    },
  });
}

test('what is written is read back and executed', async () => {
  await writeDoubler();
  const model = await readSavedModel(dir);
  expect(model.tags).toEqual(['serve']);
  expect(model.signatures).toEqual([
    {
      name: 'serving_default',
      method: 'tensorflow/serving/predict',
      inputs: [
        { name: 'flag', dtype: 'DT_STRING', shape: [-1] },
        { name: 'x', dtype: 'DT_FLOAT', shape: [-1] },
      ],
      outputs: [
        { name: 'is_on', dtype: 'DT_BOOL', shape: [-1] },
        { name: 'y', dtype: 'DT_FLOAT', shape: [-1] },
      ],
    },
  ]);
  expect(model.nodes.find(({ name }) => name === 'is_on')?.attr['incompatible_shape_error']).toEqual({ b: false });
  expect(constantOf(model, 'two')).toEqual(numberTensor('DT_FLOAT', [], [2]));
  const run = executable(model, 'serving_default');
  const { y, is_on } = run({ x: numberTensor('DT_FLOAT', [2], [1, 2.5]), flag: stringTensor([2], ['on', 'off']) });
  expect(y).toEqual(numberTensor('DT_FLOAT', [2], [2, 5]));
  expect(is_on).toEqual(numberTensor('DT_BOOL', [2], [1, 0]));
  expect(() => run({ x: numberTensor('DT_FLOAT', [1], [1]) })).toThrow('input "flag" is missing');
});

test('an op that the executor does not have is named', async () => {
  await writeDoubler('Xdivy');
  const model = await readSavedModel(dir);
  expect(() => executable(model, 'serving_default')).toThrow(/Node "y" needs the op Xdivy/);
});

const refused = (dirname = dir) => expect(readSavedModel(dirname)).rejects;

test('a folder that holds no SavedModel is refused with a sentence', async () => {
  await refused().toMatchObject({
    code: 'model.invalid',
    message: expect.stringMatching(/^There is no saved_model.pb in/) as string,
  });
  await refused(join(dir, 'none')).toMatchObject({ code: 'model.invalid' });
  await expect(digestTree(dir)).rejects.toMatchObject({ code: 'model.invalid' });
  await writeFile(join(dir, 'saved_model.pb'), 'no protobuf at all');
  await refused().toMatchObject({
    code: 'model.invalid',
    message: expect.stringMatching(/is not a TensorFlow SavedModel/) as string,
  });
});

test.each([
  ['no meta graph', { metaGraphs: [] }, /no graph tagged "serve" \(tags: none\)/],
  ['another tag', { metaGraphs: [{ metaInfoDef: { tags: ['train'] }, signatureDef: {} }] }, /tags: \[train\]/],
  [
    'no signature',
    { metaGraphs: [{ metaInfoDef: { tags: ['serve'] }, signatureDef: {} }] },
    /no signature "serving_default" \(signatures: none\)/,
  ],
  [
    'a half-precision input',
    {
      metaGraphs: [
        {
          metaInfoDef: { tags: ['serve'] },
          signatureDef: {
            serving_default: { inputs: { x: { name: 'x:0', dtype: 19, tensorShape: shapeToProto([]) } }, outputs: {} },
          },
        },
      ],
    },
    /Tensor "x" .* has TensorFlow data type 19/,
  ],
])('%s is refused', async (_, model, message) => {
  await writeFile(join(dir, 'saved_model.pb'), encodeSavedModel(model));
  await refused().toThrow(message);
});

test('the digest covers names, lengths and bytes of SavedModel members only', async () => {
  await writeDoubler();
  const digest = await digestTree(dir);
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  await writeFile(join(dir, 'ModelProperties.json'), '{}');
  expect(await digestTree(dir)).toBe(digest);
  await mkdir(join(dir, 'variables'));
  expect(await digestTree(dir)).toBe(digest);
  await writeFile(join(dir, 'variables', 'variables.index'), 'a');
  await writeFile(join(dir, 'variables', 'variables.data-00000-of-00001'), 'b');
  const withVariables = await digestTree(dir);
  expect(withVariables).not.toBe(digest);
  expect((await savedModelMembers(dir)).map(({ path }) => path)).toEqual([
    'saved_model.pb',
    'variables/variables.data-00000-of-00001',
    'variables/variables.index',
  ]);
  await writeFile(join(dir, 'variables', 'variables.index'), 'c');
  expect(await digestTree(dir)).not.toBe(withVariables);
});

test('a link in a SavedModel is refused', async () => {
  await writeDoubler();
  await symlink('saved_model.pb', join(dir, 'fingerprint.pb'));
  await expect(digestTree(dir)).rejects.toThrow('fingerprint.pb in');
});

test('constants are read in all of their forms', () => {
  const proto = { dtype: dtypeCode('DT_FLOAT'), tensorShape: shapeToProto([2]) };
  const bytes = Buffer.alloc(8);
  bytes.writeFloatLE(1.5, 0);
  bytes.writeFloatLE(-2, 4);
  expect(tensorFromProto({ ...proto, tensorContent: bytes }, 'c').values).toEqual(Float32Array.of(1.5, -2));
  expect(tensorFromProto({ ...proto, floatVal: [3] }, 'c').values).toEqual(Float32Array.of(3, 3));
  expect(() => tensorFromProto({ ...proto, tensorContent: bytes.subarray(1) }, 'c')).toThrow(/7 bytes for 2 values/);
  const long = { dtype: dtypeCode('DT_INT64'), tensorShape: shapeToProto([1]), tensorContent: Buffer.alloc(8, 0xff) };
  expect(tensorFromProto(long, 'c').values).toEqual(Float64Array.of(-1));
});

test('a builder refuses names that are taken and inputs that do not exist', () => {
  const g = graphBuilder();
  g.placeholder('x', 'DT_FLOAT', [-1]);
  expect(() => g.placeholder('x', 'DT_FLOAT', [-1])).toThrow('exists already');
  expect(() => g.op('Relu', 'y', ['z'], T)).toThrow('does not exist yet');
});

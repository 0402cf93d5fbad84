import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  compareWithRegistration,
  expectedOfVariables,
  inspectSavedModel,
  loadModelVersion,
  servingGraph,
} from '@fairway/savedmodel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Written by TensorFlow and Keras themselves: golden/exports/make.py. */
const EXPORTS = fileURLToPath(new URL('golden/exports/', import.meta.url));
const inspect = (name: string) => inspectSavedModel(join(EXPORTS, name));
const graphOf = async (name: string) => {
  const graph = servingGraph(await inspect(name));
  return graph ?? expect.fail(`${name} has no serving graph`);
};

const tensor = (name: string, at: string, dtype: string, shape: number[] | null) => ({
  name,
  tensor: at,
  dtype,
  shape,
  encoding: 'dense',
});
const FEATURES = [
  { name: 'JOB', kind: 'sparse', dtype: 'DT_STRING', shape: null },
  { name: 'LOAN', kind: 'dense', dtype: 'DT_FLOAT', shape: [1] },
];

describe('an Estimator export', () => {
  test('has signatures of every kind, which take tf.Examples whose features are known', async () => {
    const graph = await graphOf('estimator');
    expect(graph).toMatchObject({ tags: ['serve'], tensorflow: '2.21.0', functions: 0, features: FEATURES });
    expect(graph.signatures.map(({ name, kind, takesExamples }) => [name, kind, takesExamples])).toEqual([
      ['predict', 'predict', true],
      ['regression', 'regress', true],
      ['serving_default', 'classify', true],
    ]);
    expect(graph.signatures.at(-1)?.inputs).toEqual([tensor('inputs', 'input_example_tensor:0', 'DT_STRING', [-1])]);
    expect(graph.ops.find(({ op }) => op === 'VariableV2' || op === 'VarHandleOp')?.count).toBe(1);
    // TensorFlow's own list of what the graph needs is what was counted.
    expect(graph.declaredOps).toEqual(graph.ops.map(({ op }) => op));
  });

  test('is compared by its features', async () => {
    const report = await inspect('estimator');
    const variables = [
      { name: 'LOAN', type: 'string', role: 'input' },
      { name: 'VALUE', type: 'decimal', role: 'input' },
      { name: 'scores', type: 'decimal', role: 'output' },
    ] as const;
    expect(compareWithRegistration(report, expectedOfVariables(variables)).map(({ sentence }) => sentence)).toEqual([
      'input LOAN is string in inputVar.json but DT_FLOAT in the model',
      'input VALUE is in inputVar.json but not in the tf.Example that the model parses',
      'input JOB is in the tf.Example that the model parses but not in inputVar.json',
    ]);
  });
});

describe('a Keras 3 export', () => {
  test('has its signatures, start-up hook, variables and warm-up requests', async () => {
    const report = await inspect('keras3');
    const graph = await graphOf('keras3');
    expect(graph.signatures.map(({ name, kind }) => [name, kind])).toEqual([
      ['__saved_model_init_op', 'init'],
      ['serve', 'predict'],
      ['serving_default', 'predict'],
    ]);
    expect(graph.signatures.at(-1)).toMatchObject({
      inputs: [
        tensor('JOB', 'serving_default_JOB:0', 'DT_STRING', [-1, 1]),
        tensor('LOAN', 'serving_default_LOAN:0', 'DT_FLOAT', [-1, 1]),
      ],
      outputs: [tensor('P_BAD1', 'StatefulPartitionedCall_1:0', 'DT_FLOAT', [-1, 1])],
    });
    expect(graph.features).toEqual([]);
    expect(report).toMatchObject({
      definition: 1,
      schemaVersion: 1,
      serving: 0,
      variables: { state: 'complete', count: 4 },
      warmup: { records: 3, kinds: { predict: 3 }, bytes: 75 },
      fingerprint: { uuid: expect.stringMatching(/^\d+$/) as string },
      problems: [],
      remarks: [],
    });
    // Functions included: the matrix product is in none of the graph's own nodes.
    expect(graph.ops.find(({ op }) => op === 'MatMul')).toMatchObject({ verdict: 'tensorflow' });
  });

  test('is a version once it is registered', async () => {
    const { modelVersion } = await load('keras3', ['LOAN', 'JOB'], 'P_BAD1');
    expect(modelVersion).toMatchObject({
      digest: (await inspect('keras3')).digest,
      signature: { name: 'serving_default', inputs: [{ name: 'JOB' }, { name: 'LOAN', shape: [-1, 1] }] },
    });
  });
});

test('weights in several shards are counted together, and features are found inside functions', async () => {
  const { variables, problems } = await inspect('examples');
  expect(problems).toEqual([]);
  expect(variables).toMatchObject({ state: 'complete', count: 3, bytes: 1200 });
  expect(variables.shards.map(({ bytes, complete }) => [bytes, complete])).toEqual([
    [500, true],
    [500, true],
    [527, true],
  ]);
  expect((await graphOf('examples')).features).toEqual(FEATURES);
});

test('tf.Example exports are versions once they are registered', async () => {
  expect((await load('examples', ['LOAN', 'JOB'], 'P_BAD1')).modelVersion.signature.inputs).toEqual([
    { name: 'examples', dtype: 'DT_STRING', shape: [-1] },
  ]);
  expect((await load('estimator', ['LOAN', 'JOB'], 'scores')).modelVersion.signature.method).toBe(
    'tensorflow/serving/classify',
  );
});

test('Python inside, half precision and any rank are told, and refused', async () => {
  const { problems, graphs } = await inspect('python');
  expect(graphs[0]?.signatures.at(-1)?.inputs).toEqual([tensor('x', 'serving_default_x:0', 'DT_HALF', null)]);
  expect(problems).toEqual([
    expect.stringMatching(/^input x is DT_HALF/),
    expect.stringMatching(/^output y is DT_HALF/),
    expect.stringMatching(/^it calls Python \(EagerPyFunc\)/),
  ]);
  await expect(load('python', ['x'], 'y')).rejects.toMatchObject({ code: 'model.invalid', detail: { problems } });
});

test.each(readdirSync(EXPORTS, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])))(
  'every op of %s is one of TensorFlow',
  async (name) => {
    const { ops } = await graphOf(name);
    expect(ops.filter(({ verdict }) => verdict !== 'tensorflow').map(({ op }) => op)).toEqual(
      name === 'python' ? ['EagerPyFunc'] : [],
    );
  },
);

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fairway-exports-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** Registers an export as the directory source has it, and loads it. */
function load(name: string, inputs: string[], output: string) {
  const folder = join(scratch, name);
  cpSync(join(EXPORTS, name), folder, { recursive: true });
  const files = {
    'ModelProperties.json': { targetVariable: 'BAD', targetEvent: '1', eventProbVar: output },
    'inputVar.json': inputs.map((variable) => ({ name: variable, type: variable === 'JOB' ? 'string' : 'decimal' })),
    'outputVar.json': [{ name: output, type: 'decimal' }],
    'baseline.json': {
      definition: 1,
      model: 'm',
      version: '1',
      rows: 0,
      events: 0,
      source: '',
      variables: [],
      scores: [],
      performance: { auc: 0, ks: 0, rows: 0, events: 0 },
    },
  };
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), JSON.stringify(content));
  return loadModelVersion(folder, { model: 'm', version: '1' });
}

import { expectedOfMlflow } from '@fairway/savedmodel';
import { expect, it } from 'vitest';
import type { Artifact } from './artifacts/store.ts';
import { savedModelFolder, wantedFiles } from './layout.ts';
import { readMlModel } from './mlmodel.ts';

/** As MLflow 2.9 writes it. */
const FILE = `artifact_path: model
flavors:
  python_function:
    data: data
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.tensorflow
    python_version: 3.11.4
  tensorflow:
    code: null
    data: data
    keras_version: 2.15.0
    model_type: keras
    save_format: tf
mlflow_version: 2.9.2
model_uuid: 6f1d3a4b5c6d4e7f8091a2b3c4d5e6f7
run_id: 0123456789abcdef0123456789abcdef
signature:
  inputs: '[{"type": "tensor", "name": "LOAN", "tensor-spec": {"dtype": "float32", "shape": [-1, 1]}}, {"type": "tensor",
    "name": "JOB", "tensor-spec": {"dtype": "str", "shape": [-1, 1]}}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 1]}}]'
  params: null
utc_time_created: '2026-03-01 10:11:12.131415'
`;

it('reads flavours and signature', () => {
  const { flavors, signature } = readMlModel(FILE, 'm');
  expect(flavors['tensorflow']).toEqual({ data: 'data' });
  const expected = expectedOfMlflow(signature ?? {});
  expect(expected.inputs?.map(({ name, dtypes, shape }) => [name, dtypes, shape])).toEqual([
    ['LOAN', ['DT_FLOAT'], [-1, 1]],
    ['JOB', ['DT_STRING'], [-1, 1]],
  ]);
  expect(expected.outputs).toEqual([{ type: 'float32', dtypes: ['DT_FLOAT'], shape: [-1, 1] }]);
});

it('reads one without a signature, and with columns', () => {
  expect(readMlModel('flavors: {}\n', 'm')).toMatchObject({ flavors: {}, signature: undefined });
  expect(readMlModel('signature: {inputs: null, outputs: "[]"}', 'm').signature).toBeUndefined();
  const { signature } = readMlModel(
    `signature:\n  inputs: '[{"type": "double", "name": "LOAN", "required": false}]'\n  outputs: null\n`,
    'm',
  );
  expect(expectedOfMlflow(signature ?? {}).inputs).toMatchObject([{ name: 'LOAN', type: 'double', optional: true }]);
});

it.each(['[]', 'flavors: [', 'flavors: 3', '', '\0'])('refuses %j', (text) => {
  expect(() => readMlModel(text, 'm version 1')).toThrow(
    /The file MLmodel of m version 1 cannot be used: .+; log the model again\./,
  );
});

const files = (...paths: string[]): Artifact[] => paths.map((path) => ({ path, size: 1, etag: undefined }));
const folderOf = (flavors: string, ...paths: string[]) =>
  savedModelFolder(files(...paths), readMlModel(`flavors:\n${flavors}`, 'm'), 'm version 1');

it.each([
  ['  tensorflow: {data: data, model_type: keras, save_format: tf}', 'data/model/saved_model.pb', 'data/model'],
  ['  tensorflow: {saved_model_dir: tf2model, model_type: tf2-module}', 'tf2model/saved_model.pb', 'tf2model'],
  ['  tensorflow: {saved_model_dir: tfmodel, meta_graph_tags: [serve]}', 'tfmodel/saved_model.pb', 'tfmodel'],
  ['  keras: {data: data, keras_version: 3.5.0, save_exported_model: true}', 'data/model/saved_model.pb', 'data/model'],
  ['  python_function: {loader_module: mine}', 'artifacts/net/saved_model.pb', 'artifacts/net'],
  ['  python_function: {loader_module: mine}', 'saved_model.pb', ''],
])('finds the SavedModel of%s', (flavors, pb, folder) => {
  expect(folderOf(flavors, 'MLmodel', 'conda.yaml', pb)).toBe(folder);
});

it('takes the one that the flavour names, and guesses none of two', () => {
  const both = ['data/model/saved_model.pb', 'old/saved_model.pb'];
  expect(folderOf('  tensorflow: {data: data}', ...both)).toBe('data/model');
  expect(() => folderOf('  pyfunc: {}', ...both)).toThrow('have 2 SavedModels (data/model, old); log one model');
});

it.each([
  [
    ['MLmodel', 'data/model.keras'],
    'hold a Keras file (data/model.keras), which TensorFlow Serving cannot load; export it',
  ],
  [['MLmodel', 'data/model.h5'], 'hold a Keras file (data/model.h5)'],
  [['MLmodel', 'model.pkl'], 'have no saved_model.pb (flavours: sklearn); log it by mlflow.tensorflow'],
  [[], 'are none; log the model again'],
])('says what is there instead: %j', (paths, sentence) => {
  expect(() => folderOf('  sklearn: {}', ...paths)).toThrow(sentence);
});

it('fetches the SavedModel and what tells about it, and what lies beside it first', () => {
  const all = files(
    'MLmodel',
    'conda.yaml',
    'baseline.json',
    'inputVar.json',
    'data/save_format.txt',
    'data/model/saved_model.pb',
    'data/model/variables/v',
    'data/model/inputVar.json',
  );
  expect(wantedFiles(all, 'data/model').map(({ artifact, to }) => `${artifact.path} > ${to}`)).toEqual([
    'data/model/saved_model.pb > saved_model.pb',
    'data/model/variables/v > variables/v',
    'data/model/inputVar.json > inputVar.json',
    'baseline.json > baseline.json',
  ]);
});

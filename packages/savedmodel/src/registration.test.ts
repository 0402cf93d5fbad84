import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FairwayError } from '@fairway/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attr, graphBuilder } from './graph.ts';
import { expectedOfMlflow } from './mlflow.ts';
import { loadModelVersion } from './registration.ts';
import { numberTensor } from './tensor.ts';
import { writeSavedModel } from './write.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fairway-registration-'));
  const g = graphBuilder();
  g.placeholder('x', 'DT_FLOAT', [-1]);
  g.constant('half', numberTensor('DT_FLOAT', [], [0.5]));
  g.op('Mul', 'p', ['x', 'half'], { T: attr.type('DT_FLOAT') });
  const tensor = (node: string) => ({ node, dtype: 'DT_FLOAT', shape: [-1] }) as const;
  await writeSavedModel(dir, g.build(), {
    serving_default: { inputs: { x: tensor('x') }, outputs: { p: tensor('p') } },
  });
  for (const [file, content] of Object.entries(FILES)) await writeFile(join(dir, file), JSON.stringify(content));
});
afterEach(() => rm(dir, { recursive: true }));

const FILES: Readonly<Record<string, unknown>> = {
  'ModelProperties.json': {
    name: 'm',
    targetVariable: 'Y',
    targetEvent: '1',
    eventProbVar: 'p',
    properties: [
      { name: '_AUC_', value: '0.9', type: 'numeric' },
      { name: 'fairwayChange', value: 'c1', type: 'string' },
    ],
  },
  'inputVar.json': [{ name: 'x', type: 'decimal', role: 'input', level: 'interval', length: 8 }],
  'outputVar.json': [{ name: 'p', type: 'decimal', role: 'output', level: 'interval' }],
  'baseline.json': {
    definition: 1,
    model: 'm',
    version: '3',
    rows: 1,
    events: 0,
    source: '',
    variables: [],
    scores: [],
    performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  },
};

const load = (version = '3') => loadModelVersion(dir, { model: 'm', version });
const change = (file: string, content: unknown) =>
  writeFile(join(dir, file), typeof content === 'string' ? content : JSON.stringify(content));

test('a version folder becomes a ModelVersion and its baseline', async () => {
  const { modelVersion, baseline } = await load();
  expect(modelVersion).toMatchObject({
    model: 'm',
    version: '3',
    target: { variable: 'Y', event: '1', probability: 'p' },
    metrics: { auc: 0.9 },
    origin: 'directory:m/3',
    variables: [
      { name: 'x', type: 'decimal', role: 'input', length: 8 },
      { name: 'p', type: 'decimal', role: 'output' },
    ],
  });
  expect(modelVersion.signature.inputs).toEqual([{ name: 'x', dtype: 'DT_FLOAT', shape: [-1] }]);
  expect(baseline.rows).toBe(1);
});

test.each(Object.keys(FILES))('%s missing is named', async (file) => {
  await rm(join(dir, file));
  await expect(load()).rejects.toThrow(
    new RegExp(`^Version 3 of m cannot be served as it is registered: ${file} is missing`),
  );
});

test('a target that is a number names the output that predicts it, and needs no event', async () => {
  const head = { function: 'prediction', targetVariable: 'PRICE', targetLevel: 'INTERVAL' };
  await change('ModelProperties.json', { ...head, predictionVariable: 'p' });
  expect((await load()).modelVersion.target).toEqual({
    variable: 'PRICE',
    level: 'interval',
    event: '',
    probability: 'p',
  });
  await change('ModelProperties.json', head);
  await expect(load()).rejects.toThrow(/ModelProperties.json has no predictionVariable/);
  await change('ModelProperties.json', { ...head, predictionVariable: 'q' });
  await expect(load()).rejects.toThrow(/predictionVariable q is no output of the signature/);
});

test.each<[string, string, unknown, RegExp]>([
  ['broken JSON', 'inputVar.json', '[', /: inputVar.json is no JSON/],
  ['an empty list', 'outputVar.json', [], /: outputVar.json must hold a list/],
  ['an unknown type', 'inputVar.json', [{ name: 'x', type: 'integer' }], /variable x a type other than/],
  ['a target without event', 'ModelProperties.json', { targetVariable: 'Y' }, /has no targetEvent/],
  [
    'the baseline of another version',
    'baseline.json',
    { definition: 1, model: 'm', version: '2' },
    /not the baseline of m version 3/,
  ],
  [
    'a baseline made by hand that lacks what is counted by',
    'baseline.json',
    {
      definition: 1,
      model: 'm',
      version: '3',
      rows: 1,
      events: 0,
      source: '',
      variables: [{ name: 'x', kind: 'numeric' }],
    },
    /: baseline\.json gives variable "x" no whole numbers n and missing; fairway baseline writes one/,
  ],
  [
    'a variable that the signature lacks',
    'inputVar.json',
    [{ name: 'z', type: 'decimal' }],
    /input z is in inputVar.json but not in the signature; input x is in the signature but not in inputVar.json/,
  ],
  [
    'another type than the signature',
    'inputVar.json',
    [{ name: 'x', type: 'string' }],
    /input x is string in inputVar.json but DT_FLOAT in the model/,
  ],
  [
    'a probability that is no output',
    'ModelProperties.json',
    { targetVariable: 'Y', targetEvent: '1', eventProbVar: 'q' },
    /eventProbVar q is no output of the signature/,
  ],
])('%s is refused with a sentence', async (_, file, content, message) => {
  await change(file, content);
  await expect(load()).rejects.toThrow(message);
});

test('every reason is told: what is missing, what is broken and what does not fit', async () => {
  await rm(join(dir, 'baseline.json'));
  await change('outputVar.json', '{');
  await change('ModelProperties.json', { targetVariable: 'Y', targetEvent: '1', eventProbVar: 'q' });
  await change('inputVar.json', [{ name: 'z', type: 'decimal' }]);
  const error = (await load().catch((thrown: unknown) => thrown)) as FairwayError;
  expect(error).toMatchObject({ code: 'model.invalid' });
  expect(error.detail['problems']).toEqual([
    expect.stringMatching(/^outputVar.json is no JSON/),
    expect.stringMatching(/^baseline.json is missing: put the profile of the training data beside the model/),
    'input z is in inputVar.json but not in the signature',
    'input x is in the signature but not in inputVar.json',
    'eventProbVar q is no output of the signature',
  ]);
  expect(error.message).not.toContain(dir);
});

test('of many reasons ten are named', async () => {
  await change(
    'inputVar.json',
    Array.from({ length: 30 }, (_, i) => ({ name: `v${i}`, type: 'decimal' })),
  );
  const error = (await load().catch((thrown: unknown) => thrown)) as FairwayError;
  expect(error.detail['problems']).toHaveLength(31);
  expect(error.message).toMatch(/input v9 is in inputVar.json but not in the signature; and 21 more\.$/);
});

test('a folder without a SavedModel still tells what else is wrong', async () => {
  await rm(join(dir, 'saved_model.pb'));
  await rm(join(dir, 'inputVar.json'));
  await expect(load()).rejects.toThrow(
    'Version 3 of m cannot be served as it is registered: there is no saved_model.pb; export the model as a TensorFlow SavedModel into that folder; inputVar.json is missing.',
  );
});

test('a source may hand over what it knows: only the baseline is read', async () => {
  for (const file of ['ModelProperties.json', 'inputVar.json', 'outputVar.json']) await rm(join(dir, file));
  const variables = [
    { name: 'x', type: 'decimal', role: 'input' },
    { name: 'p', type: 'decimal', role: 'output' },
  ] as const;
  const target = { variable: 'Y', event: '1', probability: 'p' };
  const registration = { variables, target, metrics: { auc: 0.7 } };
  const id = { model: 'm', version: '3', origin: 'mlflow:m/3', label: 'm v3', registration };
  const { modelVersion, baseline } = await loadModelVersion(dir, id);
  expect(modelVersion).toMatchObject({ label: 'm v3', origin: 'mlflow:m/3', variables, target, metrics: { auc: 0.7 } });
  expect(baseline.rows).toBe(1);
  const expected = expectedOfMlflow({ inputs: [{ name: 'x', type: 'string' }] });
  await expect(loadModelVersion(dir, { ...id, registration: { ...registration, expected } })).rejects.toThrow(
    'input x is string in the MLflow signature but DT_FLOAT in the model',
  );
  await rm(join(dir, 'baseline.json'));
  await expect(loadModelVersion(dir, id)).rejects.toThrow('baseline.json is missing');
  expect((await loadModelVersion(dir, { ...id, registration: { ...registration, baseline } })).baseline).toBe(baseline);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attr, graphBuilder } from './graph.ts';
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
  'baseline.json': { definition: 1, model: 'm', version: '3', rows: 1, variables: [], scores: [], performance: {} },
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

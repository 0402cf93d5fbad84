import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { variableBaseline } from '@fairway/core';
import { graphBuilder, numberTensor, writeSavedModel } from '@fairway/savedmodel';

/** Registers a version of a tiny model (P_BAD1 = X × weight): the folder appears by rename, whole or not at all. */
export async function registerVersion(
  directory: string,
  model: string,
  version: string,
  weight: number,
): Promise<void> {
  const half = join(directory, model, `.half-${version}`);
  mkdirSync(half, { recursive: true });
  await writeWeights(half, weight);
  const write = (name: string, value: unknown) => writeFileSync(join(half, name), JSON.stringify(value));
  write('ModelProperties.json', {
    name: model,
    function: 'classification',
    targetVariable: 'BAD',
    targetEvent: '1',
    eventProbVar: 'P_BAD1',
    properties: [
      { name: '_AUC_', value: String(0.8 + weight / 10), type: 'numeric' },
      { name: '_KS_', value: '0.5', type: 'numeric' },
    ],
  });
  write('inputVar.json', [{ name: 'X', type: 'decimal', role: 'input', level: 'interval', length: 8 }]);
  write('outputVar.json', [{ name: 'P_BAD1', type: 'decimal', role: 'output', level: 'interval', length: 8 }]);
  write('baseline.json', {
    definition: 1,
    model,
    version,
    rows: 3,
    events: 1,
    source: 'a'.repeat(64),
    variables: [variableBaseline('X', 'numeric', [1, 2, 3])],
    performance: { auc: 0.8, ks: 0.5, rows: 3, events: 1 },
    scores: [[5000, 2, 1]],
  });
  renameSync(half, join(directory, model, version));
}

async function writeWeights(folder: string, weight: number): Promise<void> {
  const graph = graphBuilder();
  const x = graph.placeholder('X', 'DT_FLOAT', [-1, 1]);
  const w = graph.constant('w', numberTensor('DT_FLOAT', [1, 1], [weight]));
  const y = graph.op('Mul', 'y', [x, w], { T: { type: 1 } });
  await writeSavedModel(folder, graph.build(), {
    serving_default: {
      inputs: { X: { node: x, dtype: 'DT_FLOAT', shape: [-1, 1] } },
      outputs: { P_BAD1: { node: y, dtype: 'DT_FLOAT', shape: [-1, 1] } },
    },
  });
}

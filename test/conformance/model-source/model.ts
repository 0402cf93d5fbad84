import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { variableBaseline } from '@fairway/core';
import { graphBuilder, numberTensor, writeSavedModel } from '@fairway/savedmodel';
import type { Registration } from './target.ts';

export type ModelFolder = { readonly folder: string; readonly remove: () => void };

/** A SavedModel of three files (P_BAD1 = X × weight), the largest beyond one chunk of a stream. */
export async function savedModel(weight: number): Promise<ModelFolder> {
  const made = emptyFolder();
  const graph = graphBuilder();
  const x = graph.placeholder('X', 'DT_FLOAT', [-1, 1]);
  const w = graph.constant('w', numberTensor('DT_FLOAT', [1, 1], [weight]));
  const y = graph.op('Mul', 'y', [x, w], { T: { type: 1 } });
  await writeSavedModel(made.folder, graph.build(), {
    serving_default: {
      inputs: { X: { node: x, dtype: 'DT_FLOAT', shape: [-1, 1] } },
      outputs: { P_BAD1: { node: y, dtype: 'DT_FLOAT', shape: [-1, 1] } },
    },
  });
  mkdirSync(join(made.folder, 'assets'));
  writeFileSync(join(made.folder, 'assets', 'words.txt'), `words of ${weight}\n`);
  writeFileSync(join(made.folder, 'assets', 'large.bin'), Buffer.alloc(300_000, weight));
  return made;
}

/** A folder with something in it that is no SavedModel. */
export function notes(): ModelFolder {
  const made = emptyFolder();
  writeFileSync(join(made.folder, 'notes.txt'), 'The model is on the other disk.\n');
  return made;
}

function emptyFolder(): ModelFolder {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-model-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What fits {@link savedModel}. */
export const registration = (model: string, version = '1'): Registration => ({
  'ModelProperties.json': {
    name: model,
    function: 'classification',
    targetVariable: 'BAD',
    targetEvent: '1',
    eventProbVar: 'P_BAD1',
    properties: [
      { name: '_AUC_', value: '0.81', type: 'numeric' },
      { name: '_KS_', value: '0.5', type: 'numeric' },
    ],
  },
  'inputVar.json': [{ name: 'X', type: 'decimal', role: 'input', level: 'interval', length: 8 }],
  'outputVar.json': [{ name: 'P_BAD1', type: 'decimal', role: 'output', level: 'interval', length: 8 }],
  'baseline.json': {
    definition: 1,
    model,
    version,
    rows: 3,
    events: 1,
    source: 'a'.repeat(64),
    variables: [variableBaseline('X', 'numeric', [1, 2, 3])],
    performance: { auc: 0.8, ks: 0.5, rows: 3, events: 1 },
    scores: [[5000, 2, 1]],
  },
});

/** Registered variables that do not fit {@link savedModel}: one is missing, one is too many. */
export const misfit = (model: string): Registration => ({
  ...registration(model),
  'inputVar.json': [
    { name: 'LOAN', type: 'decimal', role: 'input', level: 'interval', length: 8 },
    { name: 'JOB', type: 'string', role: 'input', level: 'nominal', length: 8 },
  ],
});

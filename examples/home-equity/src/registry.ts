import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Baseline } from '@fairway/core';
import { canonicalJson, checkName, checkVersion, FairwayError, GOLDEN_FILE } from '@fairway/core';
import { readRegistration, writeSavedModel } from '@fairway/savedmodel';
import { CATEGORICAL, CATEGORIES, INPUTS, TARGET } from './columns.ts';
import type { Weights } from './saved-model.ts';
import { toGraph } from './saved-model.ts';

/** A model version as it is put into the registry. */
export type Registered = {
  readonly registryDir: string;
  readonly weights: Weights;
  readonly baseline: Baseline;
  /** golden.jsonl: what this version must answer. */
  readonly golden: string;
  /** Name of the data it was trained on, for people. */
  readonly trainTable: string;
  /** The retrain change that ordered it. */
  readonly change?: string | undefined;
};

/**
 * Writes `<registryDir>/<model>/<version>` whole: into a dot-folder beside it, then by rename.
 * Answers false, and leaves everything as it was, when that version exists already.
 */
export async function registerVersion(registered: Registered): Promise<boolean> {
  const { model, version } = registered.baseline;
  const parent = join(registered.registryDir, checkName('Model', model));
  const incoming = join(parent, `.incoming-${randomUUID()}`);
  await mkdir(incoming, { recursive: true });
  try {
    const { graph, signatures } = toGraph(registered.weights);
    await writeSavedModel(incoming, graph, signatures);
    for (const [file, content] of Object.entries(descriptions(registered))) {
      await writeFile(join(incoming, file), `${canonicalJson(content, 2)}\n`);
    }
    await writeFile(join(incoming, GOLDEN_FILE), registered.golden);
    await rename(incoming, join(parent, checkVersion(version)));
    return true;
  } catch (error) {
    await rm(incoming, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    if (code === 'ENOSPC') {
      throw new FairwayError('disk.full', `The disk below ${parent} is full; free some space and try again.`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** Versions of a model in the registry, ascending; none when the model is not there. */
export async function versionsOf(registryDir: string, model: string): Promise<number[]> {
  const names = await readdir(join(registryDir, model)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => /^[1-9][0-9]{0,17}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** The version that a retrain change has already registered, if any. */
export async function versionOfChange(registryDir: string, model: string, change: string): Promise<string | undefined> {
  for (const version of (await versionsOf(registryDir, model)).reverse().map(String)) {
    const dir = join(registryDir, model, version);
    const registration = await readRegistration(dir, { model, version }).catch(() => undefined);
    if (registration?.change === change) return version;
  }
  return undefined;
}

/** The registry's files beside the SavedModel, with SAS Model Manager's names. */
function descriptions({ baseline, trainTable, change }: Registered): Record<string, unknown> {
  const numeric = (name: string, value: number) => ({ name, value: String(value), type: 'numeric' });
  return {
    'ModelProperties.json': {
      name: baseline.model,
      description: 'Probability that a home-equity loan defaults or becomes seriously delinquent',
      function: 'classification',
      targetVariable: TARGET,
      targetLevel: 'binary',
      targetEvent: '1',
      eventProbVar: 'P_BAD1',
      algorithm: 'Neural network',
      tool: 'TensorFlow',
      trainTable,
      modeler: 'home-equity example',
      properties: [
        numeric('_AUC_', baseline.performance.auc),
        numeric('_KS_', baseline.performance.ks),
        ...(change === undefined ? [] : [{ name: 'fairwayChange', value: change, type: 'string' }]),
      ],
    },
    'inputVar.json': INPUTS.map(inputVariable),
    'outputVar.json': [
      { name: 'P_BAD1', type: 'decimal', role: 'output', level: 'interval', length: 8 },
      { name: 'P_BAD0', type: 'decimal', role: 'output', level: 'interval', length: 8 },
      { name: 'I_BAD', type: 'decimal', role: 'output', level: 'nominal', length: 8 },
    ],
    'baseline.json': baseline,
  };
}

function inputVariable(name: (typeof INPUTS)[number]): object {
  const text = CATEGORICAL.find((column) => column === name);
  if (text === undefined) return { name, type: 'decimal', role: 'input', level: 'interval', length: 8 };
  const length = Math.max(...CATEGORIES[text].map((category) => category.length));
  return { name, type: 'string', role: 'input', level: 'nominal', length };
}

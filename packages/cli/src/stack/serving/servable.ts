import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';
import type { Executable, SavedModel } from '@fairway/savedmodel';
import { executable, readSavedModel } from '@fairway/savedmodel';

/** A loaded version, or one whose load failed: TensorFlow Serving's state END with the reason. */
export type Servable = {
  readonly model: string;
  readonly version: string;
} & (
  | {
      readonly state: 'AVAILABLE';
      readonly savedModel: SavedModel;
      readonly run: ReadonlyMap<string, Executable>;
    }
  | { readonly state: 'END'; readonly error: string }
);

/**
 * Loads the highest version folder below `<basePath>/<model>`. A version that cannot be loaded or executed is
 * reported, not thrown. Throws `model.unknown` when there is no version folder at all.
 */
export async function loadLatest(basePath: string, model: string): Promise<Servable> {
  const dir = join(basePath, model);
  const names = await readdir(dir).catch(() => []);
  const [version] = names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(b) - Number(a));
  if (version === undefined) {
    throw new FairwayError(
      'model.unknown',
      `There is no version folder in ${dir}; put the SavedModel into ${join(dir, '1')}, or correct MODEL_NAME or MODEL_BASE_PATH.`,
    );
  }
  try {
    const savedModel = await readSavedModel(join(dir, version));
    const run = new Map(savedModel.signatures.map(({ name }) => [name, executable(savedModel, name)]));
    return { model, version, state: 'AVAILABLE', savedModel, run };
  } catch (error) {
    return { model, version, state: 'END', error: (error as Error).message };
  }
}

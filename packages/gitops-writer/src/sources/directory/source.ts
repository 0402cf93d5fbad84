import { loadModelVersion } from '@fairway/savedmodel';
import type { LoadedVersion, ModelSource } from '../../ports.ts';
import { championFile, championOf } from './champion.ts';
import { asSourceError, marks, versionFolder, versionsIn } from './folder.ts';
import { watchFolder } from './watch.ts';

/** The registry folder `<directory>/<model>/<version>/`. */
export function directorySource(directory: string): ModelSource {
  const mark = marks();
  return {
    load: async ({ model }, version) => load(await versionFolder(directory, model, version), model, version),
    // Read where they are: a copy would be read twice, and written besides.
    files: async ({ model }, version) => {
      const folder = await versionFolder(directory, model, version);
      return { folder, dispose: () => Promise.resolve() };
    },
    versions: async ({ model }) => (await versionsIn(directory, model)).map((version) => ({ version })),
    champion: ({ model }) => championOf(directory, model, mark),
    examine: ({ model }) => examine(directory, model),
    watch: (changed) => watchFolder(directory, changed),
  };
}

async function load(folder: string, model: string, version: string): Promise<LoadedVersion> {
  try {
    return await loadModelVersion(folder, { model, version });
  } catch (error) {
    throw asSourceError(error, folder);
  }
}

async function examine(directory: string, model: string): Promise<string[]> {
  if ((await versionsIn(directory, model)).length === 0)
    return [`The registry has no version of ${model}; put one into ${model}/1/ below MODEL_DIRECTORY, by rename.`];
  const said = await championFile(directory, model);
  return said !== undefined && 'problem' in said ? [said.problem] : [];
}

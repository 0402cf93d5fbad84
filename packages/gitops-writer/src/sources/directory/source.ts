import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestTree, loadModelVersion, savedModelMembers } from '@fairway/savedmodel';
import type { LoadedVersion, ModelSource } from '../../ports.ts';
import { championFile, championOf } from './champion.ts';
import { asSourceError, marks, versionFolder, versionsIn } from './folder.ts';
import { watchFolder } from './watch.ts';

/** The registry folder `<directory>/<model>/<version>/`. Private copies go below `scratch`. */
export function directorySource(directory: string, scratch: string): ModelSource {
  const mark = marks();
  return {
    load: async ({ model }, version) => load(await versionFolder(directory, model, version), model, version),
    copy: async ({ model }, version) => {
      const from = await versionFolder(directory, model, version);
      await mkdir(scratch, { recursive: true });
      const folder = await mkdtemp(join(scratch, 'model-'));
      const dispose = () => rm(folder, { recursive: true, force: true });
      try {
        await copyVersion(from, folder);
        return { folder, digest: await digestTree(folder), dispose };
      } catch (error) {
        await dispose();
        throw asSourceError(error, directory);
      }
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

async function copyVersion(from: string, to: string): Promise<void> {
  for (const { path } of await savedModelMembers(from)) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(join(from, path), join(to, path));
  }
}

async function examine(directory: string, model: string): Promise<string[]> {
  if ((await versionsIn(directory, model)).length === 0)
    return [`The registry has no version of ${model}; put one into ${model}/1/ below MODEL_DIRECTORY, by rename.`];
  const said = await championFile(directory, model);
  return said !== undefined && 'problem' in said ? [said.problem] : [];
}

import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkName, checkVersion, FairwayError } from '@fairway/core';
import { digestTree, loadModelVersion, savedModelMembers } from '@fairway/savedmodel';
import type { LoadedVersion, ModelSource } from '../../ports.ts';

/** The registry folder `<directory>/<model>/<version>/`. Private copies go below `scratch`. */
export function directorySource(directory: string, scratch: string): ModelSource {
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
    versions: async ({ model }) => (await versions(directory, model)).map((version) => ({ version })),
    champion: () => Promise.resolve(undefined),
    examine: () => Promise.resolve([]),
  };
}

async function load(folder: string, model: string, version: string): Promise<LoadedVersion> {
  try {
    return await loadModelVersion(folder, { model, version });
  } catch (error) {
    throw asSourceError(error, folder);
  }
}

/** The names are checked before they become a path. */
async function versionFolder(directory: string, model: string, version: string): Promise<string> {
  checkName('Model', model);
  checkVersion(version);
  const known = await versions(directory, model);
  if (known.includes(version)) return join(directory, model, version);
  const what = known.length === 0 ? 'the registry has no version of it' : `the registry knows: ${known.join(', ')}`;
  throw new FairwayError('model.unknown', `Version ${version} of model ${model} is not registered; ${what}.`);
}

async function versions(directory: string, model: string): Promise<string[]> {
  try {
    const names = await readdir(join(directory, model), { withFileTypes: true });
    const found = names.filter((entry) => entry.isDirectory() && /^[1-9]\d*$/.test(entry.name)).map(({ name }) => name);
    return found.sort((a, b) => Number(a) - Number(b));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw asSourceError(error, directory);
  }
}

async function copyVersion(from: string, to: string): Promise<void> {
  for (const { path } of await savedModelMembers(from)) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(join(from, path), join(to, path));
  }
}

function asSourceError(error: unknown, where: string): FairwayError {
  if (error instanceof FairwayError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC')
    return new FairwayError('disk.full', 'There is no space left below DATA_DIR for a copy of the model; free some.');
  return new FairwayError(
    'registry.unavailable',
    `The model registry (MODEL_DIRECTORY, ${where}) cannot be read: ${message}`,
  );
}

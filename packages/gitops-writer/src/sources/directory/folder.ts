import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkName, checkVersion, FairwayError, sha256 } from '@fairway/core';
import { digestTree } from '@fairway/savedmodel';

/** Version numbers of a model, in their order. Throws `registry.unavailable` when the registry folder itself is not there. */
export async function versionsIn(directory: string, model: string): Promise<string[]> {
  try {
    const names = await readdir(join(directory, checkName('Model', model)), { withFileTypes: true });
    const found = names.filter((entry) => entry.isDirectory() && isVersion(entry.name)).map(({ name }) => name);
    return found.sort((a, b) => Number(a) - Number(b));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw asSourceError(error, directory);
    await mounted(directory);
    return [];
  }
}

/** A volume that is not mounted must not look like a registry that has lost its models. */
async function mounted(directory: string): Promise<void> {
  try {
    await stat(directory);
  } catch (error) {
    throw asSourceError(error, directory);
  }
}

export function isVersion(text: string): boolean {
  return /^[1-9][0-9]{0,17}$/.test(text);
}

/** The names are checked before they become a path. */
export async function versionFolder(directory: string, model: string, version: string): Promise<string> {
  checkVersion(version);
  const known = await versionsIn(directory, model);
  if (known.includes(version)) return join(directory, model, version);
  const what = known.length === 0 ? 'the registry has no version of it' : `the registry knows: ${known.join(', ')}`;
  throw new FairwayError('model.unknown', `Version ${version} of model ${model} is not registered; ${what}.`);
}

export function asSourceError(error: unknown, where: string): FairwayError {
  if (error instanceof FairwayError) return error;
  const { message } = error as Error;
  return new FairwayError(
    'registry.unavailable',
    `The model registry (MODEL_DIRECTORY, ${where}) cannot be read: ${message}`,
  );
}

/** Says what a version's bytes are, in at most 80 characters; of what is no SavedModel, what its files look like. */
export type Marks = (folder: string) => Promise<string>;

const MOST_KEPT = 1_000;

/** Gigabytes are not read again for every look: only when a file looks changed (length, inode, times in nanoseconds). */
export function marks(): Marks {
  const kept = new Map<string, { readonly looks: string; readonly mark: string }>();
  return async (folder) => {
    const looks = await looksOf(folder);
    const known = kept.get(folder);
    if (known?.looks === looks) return known.mark;
    const mark = await digestTree(folder).catch((error: unknown) => {
      if (error instanceof FairwayError && error.code === 'model.invalid') return `files:${looks}`;
      throw error;
    });
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(folder, { looks, mark });
    return mark;
  };
}

async function looksOf(folder: string): Promise<string> {
  const paths = (await readdir(folder, { recursive: true })).sort();
  const lines: string[] = [];
  for (const path of paths) {
    const { size, ino, mtimeNs, ctimeNs } = await lstat(join(folder, path), { bigint: true });
    lines.push([path, size, ino, mtimeNs, ctimeNs].join(' '));
  }
  return sha256(lines.join('\n'));
}

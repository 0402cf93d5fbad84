import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { factsOf, type FileFacts } from './source.ts';

/** A regular file and where it is. */
export type FoundFile = FileFacts & { readonly path: string };

/** Paths or patterns (`*` and `?` within names), parted by commas. */
export const readPatterns = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => resolve(part));

/** The files that match, each once, whatever links lead to it; what cannot be looked at is left out. */
export async function findFiles(patterns: readonly string[]): Promise<FoundFile[]> {
  const paths = (await Promise.all(patterns.map(expand))).flat();
  return facts(paths);
}

/** The regular files of a folder. */
export const filesOf = async (folder: string): Promise<FoundFile[]> =>
  facts((await entries(folder)).map((name) => join(folder, name)));

/** Folders in which matching files may appear. */
export async function foldersOf(patterns: readonly string[]): Promise<string[]> {
  const found = await Promise.all(patterns.map((pattern) => expand(dirname(pattern))));
  return [...new Set(found.flat())];
}

async function facts(paths: readonly string[]): Promise<FoundFile[]> {
  const found = await Promise.all(paths.map(look));
  const files = new Map<string, FoundFile>();
  for (const file of found) if (file !== undefined && !files.has(file.key)) files.set(file.key, file);
  return [...files.values()];
}

async function look(path: string): Promise<FoundFile | undefined> {
  try {
    const real = await realpath(path);
    const stats = await stat(real, { bigint: true });
    return stats.isFile() ? { ...factsOf(stats), path: real } : undefined;
  } catch {
    return undefined;
  }
}

async function expand(pattern: string): Promise<string[]> {
  if (!/[*?]/.test(pattern)) return [pattern];
  const folders = await expand(dirname(pattern));
  const name = basename(pattern);
  if (!/[*?]/.test(name)) return folders.map((folder) => join(folder, name));
  const matcher = expression(name);
  const all = await Promise.all(
    folders.map(async (folder) =>
      (await entries(folder)).filter((entry) => matcher.test(entry)).map((entry) => join(folder, entry)),
    ),
  );
  return all.flat();
}

async function entries(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch {
    return [];
  }
}

/** Hidden files only where the pattern says so. */
const expression = (name: string): RegExp =>
  new RegExp(
    `^${/^[*?]/.test(name) ? '(?!\\.)' : ''}${name
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'u',
  );

/**
 * Whether a name may have been made from another by rotation: `scores.log` becomes `scores.log.1`, `scores.log-20261122`,
 * `scores-20261122.log`, `scores.log.1.gz`.
 */
export function isKin(path: string, of: string): boolean {
  const stem = (name: string) => basename(name).replace(/^(.[^.]*).*$/, '$1');
  return basename(path).startsWith(stem(of)) || stem(of).startsWith(stem(path));
}

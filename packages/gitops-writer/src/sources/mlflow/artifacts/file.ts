import { constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { FairwayError } from '@fairway/core';
import type { Artifact, ArtifactStore } from './store.ts';

const DEEPEST = 20;
const MOST = 20_000;

/** Files in a folder that this writer shares with the tracking server. Only below `root`, and never through a link. */
export function fileStore(root: string, folder: string): ArtifactStore {
  return {
    list: async () => {
      const start = await inside(root, folder);
      const found: Artifact[] = [];
      await walk(start, '', found, 0);
      return found;
    },
    open: async ({ path }) => {
      const start = await inside(root, folder);
      const file = join(start, path);
      const handle = await reading(file, async () => {
        // O_NOFOLLOW looks at the last name only; the folders above it must be where they seem to be.
        if ((await realpath(file)) !== file) throw linked(path);
        return open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
      });
      if ((await handle.stat()).isFile()) return handle.createReadStream();
      await handle.close();
      throw linked(path);
    },
    close: () => undefined,
  };
}

/** The real path of the folder, which is below the root. */
async function inside(root: string, folder: string): Promise<string> {
  return reading(folder, async () => {
    const [top, real] = await Promise.all([realpath(root), realpath(folder)]);
    const way = relative(top, real);
    if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) {
      throw new FairwayError(
        'model.invalid',
        `The artifacts are in ${folder}, which is not below MLFLOW_FILE_ROOT; correct the setting, or register the model from there.`,
      );
    }
    return real;
  });
}

async function walk(start: string, below: string, found: Artifact[], depth: number): Promise<void> {
  const entries = await reading(start, () => readdir(join(start, below), { withFileTypes: true }));
  if (found.length + entries.length > MOST || depth > DEEPEST) {
    throw new FairwayError(
      'model.invalid',
      `The artifacts are more than ${MOST} files, or more than ${DEEPEST} folders deep; register the folder of the model itself.`,
    );
  }
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) await walk(start, path, found, depth + 1);
    else if (entry.isFile()) found.push(await artifactAt(start, path));
    else throw linked(path);
  }
}

async function artifactAt(start: string, path: string): Promise<Artifact> {
  return reading(path, async () => {
    let handle: FileHandle | undefined;
    try {
      handle = await open(join(start, path), constants.O_RDONLY | constants.O_NOFOLLOW);
      const { size, mtimeNs, ino } = await handle.stat({ bigint: true });
      return { path, size: Number(size), etag: `${ino}-${mtimeNs}` };
    } finally {
      await handle?.close();
    }
  });
}

async function reading<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof FairwayError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw linked(what);
    throw new FairwayError(
      'registry.unavailable',
      `${what} cannot be read (${code ?? (error as Error).message}); mount what MLflow keeps there at the same path (MLFLOW_FILE_ROOT).`,
    );
  }
}

const linked = (path: string): FairwayError =>
  new FairwayError(
    'model.invalid',
    `${path} among the artifacts is a link or no plain file; log the model again, with the file itself.`,
  );

import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';

/** A file of a layer: its path without a leading slash, its size in bytes, and its bytes, made anew for each call. */
export type LayerFile = {
  readonly path: string;
  readonly size: number;
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
};

const EPOCH = new Date(0);

/**
 * Files and the folders around them as a tar. Reproducible: sorted entries, times zero, owner 0:0, readable for the group, since
 * OpenShift runs containers with a random uid in group 0. `under`: a folder that is there even when it is empty.
 */
export async function* tarOf(files: readonly LayerFile[], under?: string): AsyncIterable<Buffer> {
  const tar = pack();
  const packed = packFiles(tar, files, under);
  // A reader that stops early destroys the tar, and the entries then fail as well.
  packed.catch(() => undefined);
  yield* tar as AsyncIterable<Buffer>;
  await packed;
}

async function packFiles(tar: Pack, files: readonly LayerFile[], under: string | undefined): Promise<void> {
  const entries = [
    ...foldersOf([...(under === undefined ? [] : [`${under}/`]), ...files.map(({ path }) => path)]).map((path) => ({
      path,
      file: undefined,
    })),
    ...files.map((file) => ({ path: file.path, file })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  try {
    for (const { path, file } of entries) {
      const head = { name: path, mtime: EPOCH, uid: 0, gid: 0, uname: '', gname: '' };
      if (file === undefined) {
        tar.entry({ ...head, name: `${path}/`, type: 'directory', mode: 0o755 });
        continue;
      }
      await pipeline(file.open(), tar.entry({ ...head, type: 'file', mode: 0o644, size: file.size }));
    }
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
}

function foldersOf(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) folders.add(parts.slice(0, depth).join('/'));
  }
  return [...folders];
}

import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Budget } from './budget.ts';
import { type Buffers, fileSink, type Write } from './bytes.ts';
import { entryPath, isJunk } from './path.ts';
import { refusal } from './refusal.ts';
import { pathTree } from './tree.ts';

/** An open archive: its name for sentences, its bytes, and two buffers for whoever reads it. */
export type Source = {
  readonly name: string;
  readonly handle: FileHandle;
  readonly size: number;
  readonly buffers: Buffers;
  readonly signal: AbortSignal | undefined;
};

/** A path that was found good and unlike all before; '' is the folder itself. */
export type Place = { readonly path: string; readonly folder: boolean; readonly junk: boolean };

/** A private, empty folder that one archive is unpacked into, and what was put there. */
export type Target = {
  readonly budget: Budget;
  readonly files: readonly string[];
  /** What macOS added and was left out. */
  readonly skipped: readonly string[];
  /** Where the entry of this name goes. Throws the refusal that names it. Writes nothing. */
  place(name: Buffer, folder?: boolean): Place;
  /** Makes the folders that all places so far need. */
  folders(): Promise<void>;
  /** A file at a place, its bytes written by `fill`. */
  file(place: Place, fill: (write: Write) => Promise<void>): Promise<void>;
};

export function target(folder: string, archive: string, budget: Budget): Target {
  const tree = pathTree();
  const files: string[] = [];
  const skipped: string[] = [];
  const due: string[] = [];
  return {
    budget,
    files,
    skipped,
    place(name, isFolder = false) {
      const found = entryPath(name, budget.limits.path);
      if ('wrong' in found) throw refusal(archive, found.wrong, name.toString('utf8'));
      const before = tree.size();
      const placed = tree.add(found.path, found.folder || isFolder);
      if ('wrong' in placed) throw refusal(archive, placed.wrong, found.path);
      budget.entries(tree.size() - before);
      const place = { path: found.path, folder: found.folder || isFolder, junk: isJunk(found.path) };
      if (place.junk) skipped.push(found.path);
      due.push(...placed.folders.filter((path) => !isJunk(path)));
      return place;
    },
    async folders() {
      for (const path of due.splice(0)) await mkdir(join(folder, path), { mode: 0o700 });
    },
    async file({ path }, fill) {
      files.push(path);
      await writeFile(join(folder, path), budget, fill);
    },
  };
}

async function writeFile(path: string, budget: Budget, fill: (write: Write) => Promise<void>): Promise<void> {
  // x: never through a link and never over a file, whatever was checked before.
  const handle = await open(path, 'wx', 0o600);
  const sink = fileSink(handle);
  try {
    await fill(async (chunk) => {
      budget.wrote(chunk.length);
      await sink.write(chunk);
    });
    await sink.done();
  } finally {
    // Also after a failure: nothing may write into a folder that is being removed.
    await sink.done().catch(() => {});
    await handle.close();
  }
}

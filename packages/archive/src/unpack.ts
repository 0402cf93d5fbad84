import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Budget, unpackBudget } from './budget.ts';
import { readExactly, twoBuffers } from './bytes.ts';
import { archiveKind, type Kind, KIND_BYTES, otherKind } from './kind.ts';
import { UNPACK_LIMITS, type UnpackLimits } from './limits.ts';
import { refusal, spaceOr } from './refusal.ts';
import { privateFolder } from './scratch.ts';
import { untar, untarGzip } from './tar.ts';
import { type Source, type Target, target } from './work.ts';
import { unzip } from './zip.ts';

/** What came out of an archive: a private folder, and how to be rid of it (any number of times). */
export type Unpacked = {
  readonly folder: string;
  /** Files and folders, and bytes of the files. */
  readonly entries: number;
  readonly bytes: number;
  /** Paths that were left out: what macOS adds on its own. */
  readonly skipped: readonly string[];
  dispose(): Promise<void>;
};

export type UnpackOptions = { readonly limits?: Partial<UnpackLimits>; readonly signal?: AbortSignal };

/**
 * Unpacks the archive `file` (zip, tar or gzip'd tar, by its first bytes and never by its name) into a new folder below `scratch`.
 * Throws `model.invalid` with a sentence that names the entry and what is wrong with it, `disk.full`, or what aborted the signal;
 * and leaves nothing behind.
 */
export const unpack = (file: string, scratch: string, options: UnpackOptions = {}): Promise<Unpacked> =>
  unpacking(file, scratch, options, async (folder, budget) => ({
    folder,
    skipped: (await extractArchive(file, basename(file), folder, { budget, signal: options.signal })).skipped,
  }));

/** Gives `work` a private folder below `scratch` and the budget of `file`; the folder is gone when it throws. */
export async function unpacking(
  file: string,
  scratch: string,
  { limits, signal }: UnpackOptions,
  work: (folder: string, budget: Budget) => Promise<{ folder: string; skipped: readonly string[] }>,
): Promise<Unpacked> {
  signal?.throwIfAborted();
  const own = await privateFolder(scratch).catch((error: unknown) => {
    throw spaceOr(basename(file), error);
  });
  try {
    const size = await withFile(file, basename(file), async (_, bytes) => bytes);
    const budget = unpackBudget(basename(file), size, { ...UNPACK_LIMITS, ...limits });
    const done = await work(own.folder, budget);
    signal?.throwIfAborted();
    return { ...done, ...budget.total(), dispose: own.remove };
  } catch (error) {
    await own.remove();
    // What breaks because of the abort breaks in many ways.
    throw signal?.aborted === true ? signal.reason : spaceOr(basename(file), error);
  }
}

const READERS: Readonly<Record<Kind, (source: Source, target: Target) => Promise<void>>> = {
  zip: unzip,
  tar: untar,
  'tar.gz': untarGzip,
};

/** Unpacks one archive into an empty folder; `name` is what sentences call it. Answers the files in it. */
export function extractArchive(
  file: string,
  name: string,
  folder: string,
  { budget, signal }: { budget: Budget; signal: AbortSignal | undefined },
): Promise<{ files: readonly string[]; skipped: readonly string[] }> {
  return withFile(file, name, async (handle, size) => {
    const head = await readExactly(handle, 0, Math.min(size, KIND_BYTES));
    const kind = archiveKind(head);
    if (kind === undefined) throw refusal(name, otherKind(head));
    const into = target(folder, name, budget);
    await READERS[kind]({ name, handle, size, signal, buffers: twoBuffers(size) }, into);
    if (into.files.length === 0) throw refusal(name, 'holds no file; pack the SavedModel into it');
    return into;
  });
}

/** Of the file's first bytes; undefined: no archive. */
export const kindOf = (file: string, name: string): Promise<Kind | undefined> =>
  withFile(file, name, async (handle, size) => archiveKind(await readExactly(handle, 0, Math.min(size, KIND_BYTES))));

async function withFile<T>(
  file: string,
  name: string,
  use: (handle: Source['handle'], size: number) => Promise<T>,
): Promise<T> {
  // Without blocking: opening a pipe would wait for its writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT'
      ? refusal(name, 'does not exist; name the archive of the model', undefined, error)
      : error;
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw refusal(name, 'is no file; name the archive of the model');
    return await use(handle, stat.size);
  } finally {
    await handle.close();
  }
}

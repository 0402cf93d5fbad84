import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stored } from '../store.ts';

/** A blob that is written, neither synced nor under its name yet. */
export type Half = { readonly file: FileHandle; readonly path: string; readonly stored: Stored };

const HALF = '.half-';
const DAY_MS = 24 * 3_600_000;

/** Writes a new file in `blobs`; when that fails, nothing of it is left. */
export async function writeHalf(blobs: string, write: (file: FileHandle) => Promise<Stored>): Promise<Half> {
  const path = join(blobs, `${HALF}${process.pid}-${randomBytes(6).toString('hex')}`);
  const file = await open(path, 'wx').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await mkdir(blobs, { recursive: true });
    return open(path, 'wx');
  });
  try {
    return { file, path, stored: await write(file) };
  } catch (error) {
    await drop({ file, path });
    throw error;
  }
}

/** On disk whole and under its name, or not at all: a name never leads to bytes that a power cut may take away. */
export async function keep(half: Half, path: string): Promise<void> {
  try {
    await half.file.sync();
    await half.file.close();
    await rename(half.path, path);
  } catch (error) {
    await drop(half);
    throw error;
  }
}

export async function drop({ file, path }: Pick<Half, 'file' | 'path'>): Promise<void> {
  await file.close().catch(() => undefined);
  await rm(path, { force: true });
}

/**
 * Takes away what writers that were killed have left in `blobs`: nobody writes one file for a day. The clock is that of `recent`, a file
 * that was written there just now, for other machines may share the folder.
 */
export async function removeLeft(blobs: string, recent: FileHandle): Promise<void> {
  const { mtimeMs: now } = await recent.stat();
  for (const name of await readdir(blobs)) {
    if (!name.startsWith(HALF)) continue;
    const path = join(blobs, name);
    const left = await stat(path).catch(() => undefined);
    if (left !== undefined && left.mtimeMs < now - DAY_MS) await rm(path, { force: true });
  }
}

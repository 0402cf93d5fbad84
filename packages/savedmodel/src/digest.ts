import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';
import { lstat } from './files.ts';

/** What belongs to a SavedModel, at the top of its folder; registry files beside them do not. */
const MEMBERS = ['saved_model.pb', 'variables', 'assets', 'assets.extra', 'fingerprint.pb', 'keras_metadata.pb'];

/** Bytes of one read. */
const PIECE = 2 ** 20;

/** A file of a SavedModel: path relative to its folder with `/`, length in bytes. */
export type Member = { readonly path: string; readonly size: number };

/**
 * The files of a SavedModel folder, sorted by path (UTF-16 order, the same on every machine).
 * Throws `model.invalid` when there is no saved_model.pb, or when a member is neither file nor folder (a link, a pipe).
 */
export async function savedModelMembers(dir: string): Promise<Member[]> {
  const members: Member[] = [];
  // One listing instead of a look for each member: most models have two of the six.
  const present = new Set(await readdir(dir).catch(noneWhenMissing));
  for (const name of MEMBERS.filter((member) => present.has(member))) await collect(dir, name, members);
  if (!members.some(({ path }) => path === 'saved_model.pb')) throw noSavedModel(dir);
  return members.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function noneWhenMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}

export const noSavedModel = (dir: string): FairwayError =>
  new FairwayError(
    'model.invalid',
    `There is no saved_model.pb in ${dir}; export the model as a TensorFlow SavedModel into that folder.`,
  );

async function collect(dir: string, path: string, into: Member[]): Promise<void> {
  const stat = await lstat(join(dir, path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (stat === undefined) return;
  if (stat.isDirectory()) {
    for (const name of await readdir(join(dir, path))) await collect(dir, `${path}/${name}`, into);
  } else if (stat.isFile()) into.push({ path, size: stat.size });
  else {
    throw new FairwayError(
      'model.invalid',
      `${path} in ${dir} is not a plain file; copy the file itself into the folder.`,
    );
  }
}

/** Members are begun in the order of their paths; the bytes of each follow before the next. */
export type TreeHash = {
  member(path: string, size: number): void;
  update(bytes: Uint8Array): void;
  /** `sha256:<hex>`. */
  digest(): string;
};

/** The fingerprint of a SavedModel wherever its files lie: for each member `<path length>:<path><size>:` and its bytes. */
export function treeHash(): TreeHash {
  const hash = createHash('sha256');
  return {
    member: (path, size) => void hash.update(`${Buffer.byteLength(path)}:${path}${size}:`),
    update: (bytes) => void hash.update(bytes),
    digest: () => `sha256:${hash.digest('hex')}`,
  };
}

/**
 * {@link treeHash} of a folder, streamed; `members` where they are listed already.
 * Throws as {@link savedModelMembers}, and `model.changed` when a file changes its length while it is read.
 */
export async function digestTree(dir: string, members?: readonly Member[]): Promise<string> {
  const tree = treeHash();
  for (const { path, size } of members ?? (await savedModelMembers(dir))) {
    tree.member(path, size);
    if ((await readThrough(join(dir, path), size, (bytes) => tree.update(bytes))) !== size) {
      throw new FairwayError(
        'model.changed',
        `${path} in ${dir} changed while it was read; register the version again, whole.`,
      );
    }
  }
  return tree.digest();
}

/**
 * Hands a file over in large pieces and answers its length. The next piece is read while the last one is hashed: with the 64 KiB of
 * a stream, one after the other, a file of 1 GiB took twice the time of its sha256.
 */
async function readThrough(path: string, size: number, update: (bytes: Uint8Array) => void): Promise<number> {
  const file = await open(path);
  try {
    // One byte more than there should be: a file that grows is seen.
    const piece = Math.min(PIECE, size + 1);
    let [filled, empty] = [Buffer.allocUnsafe(piece), Buffer.allocUnsafe(piece)];
    let total = 0;
    let reading = file.read(filled, 0, piece, null);
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return total;
      total += bytesRead;
      reading = file.read(empty, 0, piece, null);
      update(filled.subarray(0, bytesRead));
      [filled, empty] = [empty, filled];
    }
  } finally {
    await file.close();
  }
}

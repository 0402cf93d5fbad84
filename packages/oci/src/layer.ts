import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';
import { type Member, savedModelMembers, type TreeHash, treeHash } from '@fairway/savedmodel';
import { tarOf } from './tar.ts';

export type FileDigest = Member & { readonly sha256: string };
export type ModelTar = {
  /** The bytes, made anew for each call. */
  open(): AsyncIterable<Buffer>;
  /** Of the files, as they were read by the last `open` that came to its end. */
  files(): readonly FileDigest[];
};

/** Of a gigabyte in pieces of 64 KiB, a quarter of the time goes into handing them on. */
const READ_BYTES = 2 ** 20;

/**
 * The SavedModel in `folder` as a tar below `prefix` (`models/<model>/<version>`). What is packed is fingerprinted as it is read, so
 * that the folder may be one that others write to: `open` fails at its end with `model.changed` (`detail.digest`: what it is now)
 * unless it was `digest`. Throws `registry.unavailable` when a file cannot be read.
 */
export async function modelTar(folder: string, prefix: string, digest: string): Promise<ModelTar> {
  const members = await savedModelMembers(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  let files: readonly FileDigest[] = [];
  return {
    files: () => files,
    async *open() {
      const tree = treeHash();
      const read: FileDigest[] = [];
      const layer = members.map((member) => ({
        path: `${prefix}/${member.path}`,
        size: member.size,
        open: () => bytesOf(folder, member, tree, read),
      }));
      yield* tarOf(layer, prefix);
      const found = tree.digest();
      if (found !== digest) throw changed(`The SavedModel in ${folder} is ${found}, and ${digest} was wanted.`, found);
      files = read;
    },
  };
}

/** The tar has the members in the order of their paths, as the fingerprint wants them (see `treeOf`). */
async function* bytesOf(folder: string, member: Member, tree: TreeHash, read: FileDigest[]): AsyncIterable<Buffer> {
  const { path, size } = member;
  const hash = createHash('sha256');
  tree.member(path, size);
  let left = size;
  for await (const bytes of piecesOf(folder, path, size)) {
    left -= bytes.length;
    hash.update(bytes);
    tree.update(bytes);
    yield bytes;
  }
  if (left > 0) throw changed(`${path} in ${folder} became shorter while it was read; register the version again.`);
  read.push({ ...member, sha256: hash.digest('hex') });
}

/**
 * At most the `size` bytes that the file had: what is added to it is not of the model. The next piece is read while the last one is
 * hashed. A stream costs a small file twice as much.
 */
async function* piecesOf(folder: string, path: string, size: number): AsyncIterable<Buffer> {
  try {
    const file = await open(join(folder, path));
    try {
      const next = (most: number) => file.read(Buffer.allocUnsafe(Math.min(READ_BYTES, most)));
      let left = size;
      let reading = next(left);
      while (left > 0) {
        const { bytesRead, buffer } = await reading;
        if (bytesRead === 0) return;
        left -= bytesRead;
        if (left > 0) reading = next(left);
        // A reader that stops early does not wait for it.
        reading.catch(() => undefined);
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(folder, error);
  }
}

const changed = (sentence: string, digest?: string): FairwayError =>
  new FairwayError('model.changed', sentence, digest === undefined ? {} : { detail: { digest } });

function unreadable(folder: string, error: unknown): FairwayError {
  if (error instanceof FairwayError) return error;
  const reason = (error as Error).message;
  return new FairwayError('registry.unavailable', `The SavedModel in ${folder} cannot be read: ${reason}`, {
    cause: error,
  });
}

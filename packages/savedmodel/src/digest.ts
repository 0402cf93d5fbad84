import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';

/** What belongs to a SavedModel, at the top of its folder; registry files beside them do not. */
const MEMBERS = ['saved_model.pb', 'variables', 'assets', 'assets.extra', 'fingerprint.pb', 'keras_metadata.pb'];

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

/**
 * `sha256:<hex>` over the sorted members: for each `<path length>:<path><size>:` and its bytes, streamed.
 * Throws as {@link savedModelMembers}, and `model.changed` when a file changes its length while it is read.
 */
export async function digestTree(dir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, size } of await savedModelMembers(dir)) {
    hash.update(`${Buffer.byteLength(path)}:${path}${size}:`);
    let seen = 0;
    for await (const chunk of createReadStream(join(dir, path)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      seen += chunk.length;
    }
    if (seen !== size) {
      throw new FairwayError(
        'model.changed',
        `${path} in ${dir} changed while it was read; register the version again, whole.`,
      );
    }
  }
  return `sha256:${hash.digest('hex')}`;
}

import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Member, savedModelMembers } from '@fairway/savedmodel';
import { type Pack, pack } from 'tar-stream';

export type FileDigest = Member & { readonly sha256: string };
export type ModelTar = {
  /** The bytes, made anew for each call. */
  open(): AsyncIterable<Buffer>;
  /** Of the files, as they were read by the last `open` that came to its end. */
  files(): readonly FileDigest[];
};

const EPOCH = new Date(0);
/** Of a gigabyte in pieces of 64 KiB, a quarter of the time goes into handing them on. */
const READ_BYTES = 2 ** 20;

/**
 * The SavedModel in `folder` as a tar below `prefix` (`models/<model>/<version>`). Reproducible: sorted entries, times zero,
 * owner 0:0, readable for the group, since OpenShift runs containers with a random uid in group 0.
 */
export async function modelTar(folder: string, prefix: string): Promise<ModelTar> {
  const members = await savedModelMembers(folder);
  let files: readonly FileDigest[] = [];
  return {
    files: () => files,
    async *open() {
      const tar = pack();
      const seen: FileDigest[] = [];
      const packed = packMembers(tar, folder, prefix, members, (file) => seen.push(file));
      // A reader that stops early destroys the tar, and the entries then fail as well.
      packed.catch(() => undefined);
      yield* tar as AsyncIterable<Buffer>;
      await packed;
      files = seen;
    },
  };
}

type Saw = (file: FileDigest) => void;

async function packMembers(tar: Pack, folder: string, prefix: string, members: readonly Member[], saw: Saw) {
  const entries = [
    ...foldersOf(prefix, members).map((path) => ({ path, member: undefined })),
    ...members.map((member) => ({ path: `${prefix}/${member.path}`, member })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  try {
    for (const { path, member } of entries) {
      const head = { name: path, mtime: EPOCH, uid: 0, gid: 0, uname: '', gname: '' };
      if (member === undefined) {
        tar.entry({ ...head, name: `${path}/`, type: 'directory', mode: 0o755 });
        continue;
      }
      const hash = createHash('sha256');
      const entry = tar.entry({ ...head, type: 'file', mode: 0o644, size: member.size });
      await pipeline(bytesOf(join(folder, member.path), hash), entry);
      saw({ ...member, sha256: hash.digest('hex') });
    }
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
}

function foldersOf(prefix: string, members: readonly Member[]): string[] {
  const folders = new Set<string>();
  for (const path of [`${prefix}/`, ...members.map((member) => `${prefix}/${member.path}`)]) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) folders.add(parts.slice(0, depth).join('/'));
  }
  return [...folders];
}

async function* bytesOf(file: string, hash: Hash): AsyncIterable<Buffer> {
  for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    yield chunk;
  }
}

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { savedModelMembers } from '@fairway/savedmodel';
import { type Pack, pack } from 'tar-stream';

/** A layer written to `file`: digests of the compressed and of the plain tar (its diff id), size in bytes of the compressed one. */
export type Layer = { readonly digest: string; readonly diffId: string; readonly size: number };

const EPOCH = new Date(0);
/** The operating-system byte of gzip's header; 255 = unknown, the same on every machine (RFC 1952). */
const GZIP_OS_OFFSET = 9;

/**
 * Packs the SavedModel in `folder` as a gzip'd tar below `prefix` (`models/<model>/<version>`) into `file`, flushed to
 * disk. Reproducible: sorted entries, times zero, owner 0:0, readable for the group, since OpenShift runs containers
 * with a random uid in group 0.
 */
export async function writeLayer(folder: string, prefix: string, file: string): Promise<Layer> {
  const members = await savedModelMembers(folder);
  const tar = pack();
  const plain = createHash('sha256');
  const compressed = createHash('sha256');
  let size = 0;
  const written = pipeline(
    tar,
    tap((chunk) => plain.update(chunk)),
    createGzip({ level: 6 }),
    unknownSystem(),
    tap((chunk) => {
      compressed.update(chunk);
      size += chunk.length;
    }),
    createWriteStream(file),
  );
  // A broken disk ends the pipeline first; the entries then fail as well, and the first reason is the one to tell.
  await Promise.all([written, packMembers(tar, folder, prefix, members)]);
  await flush(file);
  return { digest: `sha256:${compressed.digest('hex')}`, diffId: `sha256:${plain.digest('hex')}`, size };
}

type Members = Awaited<ReturnType<typeof savedModelMembers>>;

async function packMembers(tar: Pack, folder: string, prefix: string, members: Members): Promise<void> {
  const folders = new Set<string>();
  for (const path of [`${prefix}/`, ...members.map((member) => `${prefix}/${member.path}`)]) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) folders.add(parts.slice(0, depth).join('/'));
  }
  const entries = [
    ...[...folders].map((path) => ({ path, from: undefined, size: 0 })),
    ...members.map(({ path, size }) => ({ path: `${prefix}/${path}`, from: join(folder, path), size })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  try {
    for (const { path, from, size } of entries) {
      const head = { name: path, mtime: EPOCH, uid: 0, gid: 0, uname: '', gname: '' };
      if (from === undefined) tar.entry({ ...head, name: `${path}/`, type: 'directory', mode: 0o755 });
      else await pipeline(createReadStream(from), tar.entry({ ...head, type: 'file', mode: 0o644, size }));
    }
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
}

function tap(see: (chunk: Buffer) => void): Transform {
  return new PassThrough({
    transform(chunk: Buffer, _encoding, done) {
      see(chunk);
      done(null, chunk);
    },
  });
}

function unknownSystem(): Transform {
  let at = 0;
  return new PassThrough({
    transform(chunk: Buffer, _encoding, done) {
      const index = GZIP_OS_OFFSET - at;
      if (index >= 0 && index < chunk.length) chunk[index] = 255;
      at += chunk.length;
      done(null, chunk);
    },
  });
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.sync();
  await handle.close();
}

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { batched, FairwayError, sha256 } from '@fairway/core';

type Descriptor = {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
};
type Index = { readonly schemaVersion: 2; readonly mediaType?: string; readonly manifests: readonly Descriptor[] };

/** An OCI image layout folder (image-spec, image-layout.md). */
export type Layout = {
  readBlob(digest: string): Promise<Buffer>;
  /** Adds a blob whose file is written by `write`, which answers the digest. Nothing half-written is ever seen. */
  addFile<T extends { readonly digest: string }>(write: (file: string) => Promise<T>): Promise<T>;
  addBytes(bytes: Buffer): Promise<string>;
  /** Lists a manifest under its name in `index.json`, once. */
  list(descriptor: Descriptor): Promise<void>;
};

export function ociLayout(folder: string): Layout {
  const blobs = join(folder, 'blobs', 'sha256');
  const blobPath = (digest: string) => join(blobs, digest.replace(/^sha256:/, ''));
  // index.json is read, changed and replaced: those who wait meanwhile go into the next one together.
  const list = batched<Descriptor, undefined>({ max: 1_000 }, async (descriptors) => {
    await addToIndex(folder, descriptors);
    return descriptors.map(() => ({ value: undefined }));
  });

  const addFile: Layout['addFile'] = async (write) => {
    await mkdir(blobs, { recursive: true });
    const half = join(blobs, `.half-${process.pid}-${randomBytes(6).toString('hex')}`);
    try {
      const written = await write(half);
      await rename(half, blobPath(written.digest));
      return written;
    } finally {
      await rm(half, { force: true });
    }
  };
  return {
    readBlob: (digest) => readBlob(blobPath(digest), digest),
    addFile,
    addBytes: async (bytes) => {
      const digest = `sha256:${sha256(bytes)}`;
      if (!existsSync(blobPath(digest))) {
        await addFile(async (file) => {
          await writeDurably(file, bytes);
          return { digest };
        });
      }
      return digest;
    },
    list,
  };
}

async function readBlob(path: string, digest: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new FairwayError(
      'image.failed',
      `The image layout (IMAGE_LAYOUT) has no blob ${digest}; put the pinned base image there, or correct SERVING_BASE.`,
      { disposition: 'terminal' },
    );
  });
  if (`sha256:${sha256(bytes)}` === digest) return bytes;
  throw new FairwayError(
    'image.failed',
    `Blob ${digest} in the image layout (IMAGE_LAYOUT) is damaged; copy the base image again.`,
    { disposition: 'terminal' },
  );
}

async function addToIndex(folder: string, descriptors: readonly Descriptor[]): Promise<void> {
  const path = join(folder, 'index.json');
  const index = JSON.parse(await readFile(path, 'utf8')) as Index;
  const known = new Set(index.manifests.map(keyOf));
  const added = descriptors.filter((descriptor) => !known.has(keyOf(descriptor)));
  if (added.length === 0) return;
  // A name points to one manifest: the newest.
  const newest = new Map(added.map((descriptor) => [nameOf(descriptor) ?? descriptor.digest, descriptor]));
  const kept = index.manifests.filter((other) => !newest.has(nameOf(other) ?? other.digest));
  const half = `${path}.${process.pid}.half`;
  await writeDurably(half, Buffer.from(JSON.stringify({ ...index, manifests: [...kept, ...newest.values()] })));
  await rename(half, path);
}

const keyOf = (descriptor: Descriptor): string => `${nameOf(descriptor) ?? ''} ${descriptor.digest}`;
const nameOf = ({ annotations }: Descriptor): string | undefined => annotations?.['org.opencontainers.image.ref.name'];

async function writeDurably(file: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await writeFile(handle, bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

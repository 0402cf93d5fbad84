import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError, sha256 } from '@fairway/core';

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
  // index.json is read, changed and replaced; two builds at once must not lose each other's entry.
  let listing: Promise<unknown> = Promise.resolve();

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
    list: (descriptor) => {
      const next = listing.then(() => addToIndex(folder, descriptor));
      listing = next.catch(() => {});
      return next;
    },
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

async function addToIndex(folder: string, descriptor: Descriptor): Promise<void> {
  const path = join(folder, 'index.json');
  const index = JSON.parse(await readFile(path, 'utf8')) as Index;
  const same = (other: Descriptor) => other.digest === descriptor.digest && nameOf(other) === nameOf(descriptor);
  if (index.manifests.some(same)) return;
  // A name points to one manifest: the newest.
  const kept = index.manifests.filter((other) => nameOf(other) === undefined || nameOf(other) !== nameOf(descriptor));
  const half = `${path}.${process.pid}.half`;
  await writeDurably(half, Buffer.from(JSON.stringify({ ...index, manifests: [...kept, descriptor] })));
  await rename(half, path);
}

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

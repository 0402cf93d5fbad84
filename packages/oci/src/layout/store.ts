import { createHash, randomBytes } from 'node:crypto';
import { access, createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checked, collected, digestOf } from '../bytes.ts';
import { asImageError, imageError } from '../errors.ts';
import { OCI_MANIFEST, ociType, REF_NAME } from '../media.ts';
import { isDigest } from '../names.ts';
import { imageIndex, imageManifest, type ImageManifest, parsed } from '../schema.ts';
import type { Descriptor, ImageStore, Manifest, NewBlob, Stored } from '../store.ts';
import { type IndexFile, indexFile } from './index-file.ts';

type Rim = { readonly folder: string; readonly blobs: string; readonly place: string; readonly index: IndexFile };

/**
 * An OCI image layout folder (image-spec 1.1, image-layout.md), made when it is not there. Names live in `index.json`, blobs
 * belong to the whole folder, and nothing half-written is ever seen. `setting`: what names the folder, for sentences.
 */
export function layoutStore(folder: string, setting = 'IMAGE_LAYOUT'): ImageStore {
  const place = `the image layout (${setting})`;
  const rim: Rim = { folder, blobs: join(folder, 'blobs', 'sha256'), place, index: indexFile(folder) };
  const mended = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw asImageError(error, place);
    });
  return {
    name: place,
    has: (_at, digest) => isThere(rim, digest),
    read: (_at, digest) => read(rim, digest),
    // Blobs belong to no name here.
    mount: (digest) => isThere(rim, digest),
    add: (_at, blob) => mended(add(rim, blob)),
    manifest: (at, reference) => mended(manifest(rim, at, reference)),
    putManifest: (at, one, tag) => mended(putManifest(rim, at, one, tag)),
    referrers: (_at, digest) => mended(referrers(rim, digest)),
    close: () => undefined,
  };
}

const blobPath = ({ blobs }: Rim, digest: string): string => join(blobs, digest.slice('sha256:'.length));

/** Not by node:fs/promises, whose rejection costs more than the look: an image asks for seven blobs that are not there. */
const isThere = (rim: Rim, digest: string): Promise<boolean> =>
  new Promise((resolve) => access(blobPath(rim, digest), (error) => resolve(error === null)));

async function* read(rim: Rim, digest: string): AsyncIterable<Buffer> {
  const bytes = createReadStream(blobPath(rim, digest), { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>;
  try {
    yield* checked(bytes, digest, `Blob ${digest} in ${rim.place}`);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw isMissing ? imageError(`There is no blob ${digest} in ${rim.place}; write the image there again.`) : error;
  }
}

async function add(rim: Rim, blob: NewBlob): Promise<Stored> {
  if ('bytes' in blob) {
    const stored = { digest: digestOf(blob.bytes), size: blob.bytes.length };
    if (await isThere(rim, stored.digest)) return stored;
    return written(rim, async (file) => {
      await file.writeFile(blob.bytes);
      return stored;
    });
  }
  if (blob.digest !== undefined && (await isThere(rim, blob.digest))) {
    return { digest: blob.digest, size: await sizeOf(blobPath(rim, blob.digest)) };
  }
  return written(rim, async (file) => {
    const stored = await drain(blob.open(), file);
    if (blob.digest === undefined || blob.digest === stored.digest) return stored;
    throw imageError(
      `The bytes of blob ${blob.digest} are ${stored.digest}: they were damaged on their way.`,
      'retryable',
    );
  });
}

async function drain(bytes: AsyncIterable<Uint8Array>, file: FileHandle): Promise<Stored> {
  const hash = createHash('sha256');
  let size = 0;
  let small: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    size += chunk.length;
    held += chunk.length;
    small.push(chunk);
    if (held < WRITE_BYTES) continue;
    await writeTogether(file, small);
    [small, held] = [[], 0];
  }
  await writeTogether(file, small);
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** A tar of small files comes in pieces of some hundred bytes. */
const WRITE_BYTES = 2 ** 18;

const writeTogether = (file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> =>
  file.writeFile(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks));

/** On disk whole and under its digest, or not at all. */
async function written(rim: Rim, write: (file: FileHandle) => Promise<Stored>): Promise<Stored> {
  const half = join(rim.blobs, `.half-${process.pid}-${randomBytes(6).toString('hex')}`);
  const file = await open(half, 'wx').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await mkdir(rim.blobs, { recursive: true });
    return open(half, 'wx');
  });
  try {
    const stored = await write(file);
    await file.sync();
    await file.close();
    await rename(half, blobPath(rim, stored.digest));
    return stored;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(half, { force: true });
    throw error;
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

async function manifest(rim: Rim, at: string, reference: string): Promise<Manifest | undefined> {
  const listed = isDigest(reference) ? undefined : await rim.index.find(`${at}:${reference}`);
  const digest = isDigest(reference) ? reference : listed?.digest;
  if (digest === undefined || !(await isThere(rim, digest))) return undefined;
  const what = `Manifest ${digest} in ${rim.place}`;
  const bytes = await collected(read(rim, digest), what);
  const { mediaType = '', ...body } = parsed(imageManifest.or(imageIndex), bytes, what);
  const fallback = 'manifests' in body ? 'application/vnd.oci.image.index.v1+json' : OCI_MANIFEST;
  return { mediaType: mediaType === '' ? fallback : mediaType, bytes, digest };
}

async function putManifest(rim: Rim, at: string, one: Omit<Manifest, 'digest'>, tag?: string): Promise<Stored> {
  const body = parsed(imageManifest.or(imageIndex), one.bytes, 'The manifest that was to be written');
  const named = 'manifests' in body ? (body.manifests as Descriptor[]) : [body.config, ...body.layers];
  for (const { digest } of named) {
    if (!(await isThere(rim, digest)))
      throw imageError(`A manifest names blob ${digest}, which is not in ${rim.place}.`);
  }
  const stored = await add(rim, { bytes: one.bytes });
  const descriptor = { mediaType: one.mediaType, ...stored };
  const { subject, artifactType } = 'config' in body ? (body as ImageManifest) : {};
  if (subject !== undefined) await rim.index.list({ ...descriptor, ...(artifactType ? { artifactType } : {}) });
  if (tag !== undefined) await rim.index.list({ ...descriptor, annotations: { [REF_NAME]: `${at}:${tag}` } });
  return stored;
}

/** Artifacts have no name, or say what they are: the many images of the folder need not be read. */
async function referrers(rim: Rim, digest: string): Promise<Descriptor[]> {
  const found: Descriptor[] = [];
  for (const listed of await rim.index.all()) {
    const mayRefer = listed.artifactType !== undefined || listed.annotations?.[REF_NAME] === undefined;
    if (!mayRefer || ociType(listed.mediaType) !== OCI_MANIFEST || !(await isThere(rim, listed.digest))) continue;
    const what = `Manifest ${listed.digest} in ${rim.place}`;
    const { subject, annotations, artifactType } = parsed(
      imageManifest,
      await collected(read(rim, listed.digest), what),
      what,
    );
    if (subject?.digest !== digest) continue;
    const { mediaType, size } = listed;
    const more = { ...(annotations ? { annotations } : {}), ...(artifactType ? { artifactType } : {}) };
    found.push({ mediaType, digest: listed.digest, size, ...more });
  }
  return found;
}

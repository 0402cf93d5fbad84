import { createHash } from 'node:crypto';
import { access, createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { checked, collected, digestOf } from '../bytes.ts';
import { asImageError, imageError } from '../errors.ts';
import { OCI_MANIFEST, ociType, REF_NAME } from '../media.ts';
import { isDigest } from '../names.ts';
import { anyManifest, imageManifest, type ImageManifest, parsed } from '../schema.ts';
import type { Descriptor, ImageStore, Manifest, NewBlob, Stored } from '../store.ts';
import { drop, keep, removeLeft, writeHalf } from './halves.ts';
import { type IndexFile, indexFile } from './index-file.ts';
import { dropAll, keepAll, newSession, type Session } from './session.ts';

type Rim = {
  readonly folder: string;
  readonly blobs: string;
  readonly place: string;
  readonly index: IndexFile;
  /** Whether what others have left half-written was looked for. */
  readonly tidied: { begun: boolean };
  /** Of what is written together. */
  readonly session?: Session;
};

/**
 * An OCI image layout folder (image-spec 1.1, image-layout.md), made when it is not there. Names live in `index.json`, blobs
 * belong to the whole folder, and nothing half-written is ever seen. `setting`: what names the folder, for sentences.
 */
export function layoutStore(folder: string, setting = 'IMAGE_LAYOUT'): ImageStore {
  const place = `the image layout (${setting})`;
  const blobs = join(folder, 'blobs', 'sha256');
  return storeAt({ folder, blobs, place, index: indexFile(folder), tidied: { begun: false } });
}

function storeAt(rim: Rim): ImageStore {
  const { place } = rim;
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
    together: (work) => together(rim, work, mended),
    close: () => undefined,
  };
}

type Mended = <T>(work: Promise<T>) => Promise<T>;

async function together<T>(rim: Rim, work: (store: ImageStore) => Promise<T>, mended: Mended): Promise<T> {
  // Within another one it ends with that.
  if (rim.session !== undefined) return work(storeAt(rim));
  const session = newSession();
  const made = await work(storeAt({ ...rim, session })).catch(async (error: unknown) => {
    await dropAll(session);
    throw error;
  });
  await mended(keepAll(session, (digest) => blobPath(rim, digest)));
  await mended(rim.index.list(session.listed));
  return made;
}

const blobPath = ({ blobs }: Rim, digest: string): string => join(blobs, digest.slice('sha256:'.length));

async function isThere(rim: Rim, digest: string): Promise<boolean> {
  if (rim.session?.there.has(digest) === true) return true;
  const found = await isOnDisk(blobPath(rim, digest));
  if (found) rim.session?.there.add(digest);
  return found;
}

/** Not by node:fs/promises, whose rejection costs more than the look: an image asks for seven blobs that are not there. */
const isOnDisk = (path: string): Promise<boolean> =>
  new Promise((resolve) => access(path, (error) => resolve(error === null)));

async function* read(rim: Rim, digest: string): AsyncIterable<Buffer> {
  const path = rim.session?.halves.get(digest)?.path ?? blobPath(rim, digest);
  const bytes = createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>;
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
    const { halves } = rim.session ?? newSession();
    return halves.get(blob.digest)?.stored ?? { digest: blob.digest, size: await sizeOf(blobPath(rim, blob.digest)) };
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

async function written(rim: Rim, write: (file: FileHandle) => Promise<Stored>): Promise<Stored> {
  const { session } = rim;
  const half = await writeHalf(rim.blobs, write);
  const { stored } = half;
  if (!rim.tidied.begun) {
    rim.tidied.begun = true;
    // Once for each process. That it cannot be done harms nobody, and the next one tries again.
    await removeLeft(rim.blobs, half.file).catch(() => undefined);
  }
  if (session === undefined) await keep(half, blobPath(rim, stored.digest));
  else if (session.over || session.halves.has(stored.digest)) await drop(half);
  else session.halves.set(stored.digest, half);
  session?.there.add(stored.digest);
  return stored;
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
  const { mediaType = '', ...body } = parsed(anyManifest, bytes, what);
  const fallback = 'manifests' in body ? 'application/vnd.oci.image.index.v1+json' : OCI_MANIFEST;
  return { mediaType: mediaType === '' ? fallback : mediaType, bytes, digest };
}

async function putManifest(rim: Rim, at: string, one: Omit<Manifest, 'digest'>, tag?: string): Promise<Stored> {
  const body = parsed(anyManifest, one.bytes, 'The manifest that was to be written');
  const named = 'manifests' in body ? (body.manifests as Descriptor[]) : [body.config, ...body.layers];
  for (const { digest } of named) {
    if (!(await isThere(rim, digest)))
      throw imageError(`A manifest names blob ${digest}, which is not in ${rim.place}.`);
  }
  const stored = await add(rim, { bytes: one.bytes });
  const descriptor = { mediaType: one.mediaType, ...stored };
  const { subject, artifactType } = 'config' in body ? (body as ImageManifest) : {};
  const listed = [
    ...(subject === undefined ? [] : [{ ...descriptor, ...(artifactType ? { artifactType } : {}) }]),
    ...(tag === undefined ? [] : [{ ...descriptor, annotations: { [REF_NAME]: `${at}:${tag}` } }]),
  ];
  if (rim.session === undefined) await rim.index.list(listed);
  else rim.session.listed.push(...listed);
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

import { type Gate, gate, pause } from '@fairway/core';
import { checked, digestOf } from '../bytes.ts';
import { imageError } from '../errors.ts';
import { MANIFEST_TYPES } from '../media.ts';
import { type ImageName, imageName, isDigest } from '../names.ts';
import { anyManifest, type ImageManifest, MAX_JSON_BYTES, parsed } from '../schema.ts';
import type { ImageStore, Manifest, NewBlob, Stored } from '../store.ts';
import { type Client, client, type RegistryOptions } from './client.ts';
import { isHtml, refusal } from './refusal.ts';
import { listReferrer, referrersOf } from './referrers.ts';
import { isThere, session } from './session.ts';
import { upload, type UploadRim } from './upload.ts';

/** Enough for many small models at once, and little enough for the memory that large ones take. */
const UPLOADS = 4;
/** A gigabyte in pieces of 16 MiB takes 20 MB more memory and no less time. */
const CHUNK_BYTES = 8 * 2 ** 20;
const PAUSE_MS = 200;

/** Any registry that speaks the OCI distribution API 1.0 or 1.1; the host in an image's name says which. */
export function registryStore(options: RegistryOptions = {}): ImageStore {
  const http = client(options);
  const { chunkBytes = CHUNK_BYTES, pauseMs = PAUSE_MS } = options;
  const rim: UploadRim = { client: http, chunkBytes, pauseMs };
  const turns = gate(UPLOADS);
  const listing = gate(1);
  const store: ImageStore = {
    name: 'its registry',
    has: async (at, digest) => isThere(http, { at: imageName(at) }, digest),
    read: (at, digest) => read(http, imageName(at), digest),
    mount: async (digest, { from, to }) => mount(http, digest, imageName(from), imageName(to)),
    add: async (at, blob) => add(rim, turns, imageName(at), blob),
    manifest: async (at, reference) => manifest(http, imageName(at), reference),
    putManifest: async (at, one, tag) => putManifest(http, listing, imageName(at), one, tag),
    referrers: async (at, digest) => referrersOf(http, { at: imageName(at) }, digest),
    // A registry keeps each upload when it answers.
    together: (work) => work(store),
    close: () => http.close(),
  };
  return store;
}

async function* read(http: Client, at: ImageName, digest: string): AsyncIterable<Buffer> {
  const answer = await http.download({ at }, http.urlOf(at, `/blobs/${digest}`));
  const { status, headers, body } = answer;
  if (status !== 200 || isHtml(headers)) {
    body.destroy();
    if (status === 404) throw imageError(`${http.place(at)} has no blob ${digest} in ${at.path}.`);
    throw refusal(http.place(at), `blob ${digest} was read`, { ...answer, text: '', data: undefined });
  }
  yield* checked(body as AsyncIterable<Buffer>, digest, `Blob ${digest} of ${at.name}`);
}

async function mount(http: Client, digest: string, from: ImageName, to: ImageName): Promise<boolean> {
  if (from.host !== to.host) return false;
  const access = { at: to, push: true, from };
  if (from.path === to.path) return isThere(http, access, digest);
  const asked = http.urlOf(to, '/blobs/uploads/');
  const answer = await http.call(access, 'POST', asked, {
    query: { mount: digest, from: from.path },
    body: { bytes: Buffer.alloc(0), type: 'application/octet-stream' },
    repeat: true,
  });
  if (answer.status === 201) return true;
  // 202: it began an upload instead, which is not wanted; 403, 404, 405: it may not, or cannot.
  if (answer.status === 202) await session({ client: http, access, pauseMs: 0 }, answer, asked).cancel();
  else if (![403, 404, 405].includes(answer.status))
    throw refusal(http.place(to), `blob ${digest} was mounted`, answer);
  return false;
}

async function add(rim: UploadRim, turns: Gate, at: ImageName, blob: NewBlob): Promise<Stored> {
  const access = { at, push: true };
  if ('bytes' in blob) {
    const stored = { digest: digestOf(blob.bytes), size: blob.bytes.length };
    if (await isThere(rim.client, access, stored.digest)) return stored;
    const open = async function* () {
      yield await Promise.resolve(blob.bytes);
    };
    return whole(rim, () => upload(rim, access, { open, digest: stored.digest }), at);
  }
  if (blob.digest !== undefined) {
    const known = await rim.client.call(access, 'HEAD', rim.client.urlOf(at, `/blobs/${blob.digest}`));
    if (known.status === 200) return { digest: blob.digest, size: Number(known.headers['content-length'] ?? 0) };
  }
  return turns(() => whole(rim, () => upload(rim, access, blob), at));
}

const WHOLE_TRIES = 3;

async function whole(
  { client: http, pauseMs }: UploadRim,
  once: () => Promise<Stored | 'gone'>,
  at: ImageName,
): Promise<Stored> {
  for (let turn = 0; turn < WHOLE_TRIES; turn += 1) {
    if (turn > 0) await pause(pauseMs * 4 ** turn);
    const stored = await once();
    if (stored !== 'gone') return stored;
  }
  throw imageError(`${http.place(at)} has lost an upload ${WHOLE_TRIES} times before it was whole.`, 'retryable');
}

async function manifest(http: Client, at: ImageName, reference: string): Promise<Manifest | undefined> {
  const headers = { accept: MANIFEST_TYPES.join(', ') };
  const answer = await http.call({ at }, 'GET', http.urlOf(at, `/manifests/${reference}`), { headers });
  if (answer.status === 404 && !isHtml(answer.headers)) return undefined;
  if (answer.status !== 200 || isHtml(answer.headers)) {
    throw refusal(http.place(at), `the manifest ${reference} of ${at.path} was read`, answer);
  }
  const bytes = Buffer.from(answer.text, 'utf8');
  const digest = digestOf(bytes);
  const what = `The manifest ${reference} of ${at.name}`;
  if (bytes.length > MAX_JSON_BYTES) throw imageError(`${what} is larger than ${MAX_JSON_BYTES / 2 ** 20} MiB.`);
  if (isDigest(reference) && reference !== digest) throw imageError(`${what} is damaged: its bytes are ${digest}.`);
  const told = (answer.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const { mediaType } = parsed(anyManifest, bytes, what);
  // The bytes are proven, the header is not.
  return { mediaType: typeof mediaType === 'string' ? mediaType : told, bytes, digest };
}

async function putManifest(
  http: Client,
  listing: Gate,
  at: ImageName,
  { bytes, mediaType }: Omit<Manifest, 'digest'>,
  tag?: string,
): Promise<Stored> {
  const digest = digestOf(bytes);
  const body = parsed(anyManifest, bytes, 'The manifest that was to be written');
  const access = { at, push: true };
  const url = http.urlOf(at, `/manifests/${tag ?? digest}`);
  const answer = await http.call(access, 'PUT', url, { body: { bytes, type: mediaType } });
  if (answer.status !== 201) throw refusal(http.place(at), `the manifest of ${at.path} was written`, answer);
  const subject = 'config' in body ? (body as ImageManifest).subject : undefined;
  // A registry that keeps the list itself says so by this header; else we keep it, one entry at a time.
  if (subject !== undefined && answer.headers['oci-subject'] === undefined) {
    await listing(() => listReferrer(http, access, subject.digest, { mediaType, bytes, digest }));
  }
  return { digest, size: bytes.length };
}

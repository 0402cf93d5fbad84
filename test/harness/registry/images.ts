import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ImageStore, type Labelled, type Platform, type Stored, tarOf } from '@fairway/oci';
import { digestTree } from '@fairway/savedmodel';

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A folder that looks like a SavedModel to whoever does not parse it, with `bytes` of weights; answers what it is. */
export async function writeModel(folder: string, bytes = 300_000, version = '7'): Promise<Labelled> {
  const files = {
    'saved_model.pb': Buffer.from('graph'),
    'variables/variables.index': Buffer.from('index'),
    'variables/variables.data-00000-of-00001': randomBytes(bytes),
    'assets/vocabulary ü.txt': Buffer.from('a\nb\n'),
    // Longer than a tar header holds.
    [`assets/${'deep/'.repeat(30)}leaf`]: Buffer.from('leaf'),
    'assets.extra/empty': Buffer.alloc(0),
    // Not of the SavedModel.
    'ModelProperties.json': Buffer.from('{}'),
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return {
    model: 'home-equity',
    version,
    digest: await digestTree(folder),
    origin: `directory:home-equity/${version}`,
  };
}

export type BaseOptions = {
  /** More than one makes an index. */
  readonly platforms?: readonly Platform[];
  readonly words?: 'oci' | 'docker';
  /** Adds what buildx adds to an index: an attestation for a platform that is none. */
  readonly attested?: boolean;
  /** Of the layer, in bytes. */
  readonly size?: number;
  /** Paths in each layer, the lowest first; without them there is one that is no tar, just bytes. */
  readonly files?: readonly (readonly string[])[];
};
export type PutBase = { readonly reference: string; readonly digest: string; readonly layers: readonly Stored[] };

const WORDS = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
};

/** Puts a base image like TensorFlow Serving's under `name`, with layers of its own for each platform. */
export async function putBase(store: ImageStore, name: string, options: BaseOptions = {}): Promise<PutBase> {
  const {
    platforms = [{ os: 'linux', architecture: 'amd64' }],
    words = 'oci',
    attested = false,
    size = 2_000,
    files,
  } = options;
  const types = WORDS[words];
  const layers: Stored[] = [];
  const listed: object[] = [];
  for (const platform of platforms) {
    const tars = files === undefined ? [randomBytes(size)] : await Promise.all(files.map(tarWith));
    const own = await Promise.all(tars.map((tar) => store.add(name, { bytes: gzipSync(tar) })));
    layers.push(...own);
    const config = await store.add(name, { bytes: Buffer.from(JSON.stringify(configOf(platform, tars))) });
    listed.push({ ...(await putImage(store, name, types, config, own)), platform });
  }
  if (attested) {
    const config = await store.add(name, {
      bytes: Buffer.from('{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]}}'),
    });
    const layer = await store.add(name, { bytes: Buffer.from('{"_type":"attestation"}') });
    const platform = { os: 'unknown', architecture: 'unknown' };
    listed.push({ ...(await putImage(store, name, types, config, [layer])), platform, annotations: ATTESTS });
  }
  const [only] = listed as Array<{ digest: string }>;
  const digest =
    platforms.length === 1 && !attested ? (only?.digest ?? '') : await putIndex(store, name, types.index, listed);
  return { reference: `${name}@${digest}`, digest, layers };
}

async function tarWith(paths: readonly string[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of tarOf(paths.map((path) => ({ path, size: 3, open: () => [Buffer.from('bin')] }))))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

const ATTESTS = { 'vnd.docker.reference.type': 'attestation-manifest' };

const configOf = (platform: Platform, tars: readonly Buffer[]): object => ({
  ...platform,
  created: '2024-01-02T03:04:05Z',
  config: { Env: ['MODEL_NAME=model', 'MODEL_BASE_PATH=/models'], Entrypoint: ['/usr/bin/tf_serving_entrypoint.sh'] },
  rootfs: { type: 'layers', diff_ids: tars.map(sha256) },
  history: tars.map(() => ({ created_by: 'base' })),
});

async function putImage(
  store: ImageStore,
  name: string,
  types: typeof WORDS.oci,
  config: Stored,
  layers: readonly Stored[],
) {
  const body = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...config },
    layers: layers.map((layer) => ({ mediaType: types.layer, ...layer })),
  };
  const bytes = Buffer.from(JSON.stringify(body));
  return { mediaType: types.manifest, ...(await store.putManifest(name, { mediaType: types.manifest, bytes })) };
}

async function putIndex(store: ImageStore, name: string, mediaType: string, manifests: object[]): Promise<string> {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  return (await store.putManifest(name, { mediaType, bytes })).digest;
}

export async function bytesOf(store: ImageStore, name: string, digest: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of store.read(name, digest)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

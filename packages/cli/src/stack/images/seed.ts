import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, sha256 } from '@fairway/core';
import { pack } from 'tar-stream';

/** One embedded base image: what stands in its configuration and in its single layer. */
type BaseImage = {
  readonly name: string;
  readonly entrypoint: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Path without leading slash → content; a path that ends in `/` is a folder. */
  readonly files: Readonly<Record<string, string>>;
};

const STAND_IN = '#!/bin/sh\necho "The embedded kubelet runs a local program in place of this file." >&2\nexit 64\n';

/** The base images of docs/contracts.md ("Embedded images"). */
const BASE_IMAGES: readonly BaseImage[] = [
  {
    name: 'tensorflow/serving',
    entrypoint: ['/usr/bin/tf_serving_entrypoint.sh'],
    env: { MODEL_NAME: 'model', MODEL_BASE_PATH: '/models' },
    files: { 'models/': '', 'usr/bin/tf_serving_entrypoint.sh': STAND_IN },
  },
  { name: 'fairway/agent', entrypoint: ['fairway-agent'], env: {}, files: { 'usr/local/bin/fairway-agent': STAND_IN } },
  {
    name: 'home-equity-trainer',
    entrypoint: ['home-equity-train'],
    env: {},
    files: { 'usr/local/bin/home-equity-train': STAND_IN },
  },
];

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const REF_NAME = 'org.opencontainers.image.ref.name';

type Descriptor = {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
};
type Index = { readonly schemaVersion: 2; readonly mediaType: string; readonly manifests: readonly Descriptor[] };

/**
 * Writes the base images into an OCI image layout (image-spec 1.1): same bytes on every machine, and nothing changes
 * when they are there. Other images of the layout stay listed. Answers `name@sha256:…` by image name.
 */
export async function seedImages(layoutDir: string): Promise<Record<string, string>> {
  mkdirSync(join(layoutDir, 'blobs', 'sha256'), { recursive: true });
  writeOnce(join(layoutDir, 'oci-layout'), Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  const manifests = await Promise.all(
    BASE_IMAGES.map(async (image) => writeImage(layoutDir, image, await layerOf(image))),
  );
  listImages(layoutDir, manifests);
  return Object.fromEntries(BASE_IMAGES.map(({ name }, i) => [name, `${name}@${manifests[i]?.digest}`]));
}

/** Uncompressed on purpose: the bytes of gzip differ between zlib versions. */
async function layerOf({ files }: BaseImage): Promise<Buffer> {
  const archive = pack();
  const mtime = new Date(0);
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) archive.entry({ name, type: 'directory', mode: 0o755, mtime });
    else archive.entry({ name, mode: 0o755, mtime }, content);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function writeImage(layoutDir: string, { name, entrypoint, env }: BaseImage, layer: Buffer): Descriptor {
  const layerDescriptor = writeBlob(layoutDir, layer, 'application/vnd.oci.image.layer.v1.tar');
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Env: Object.entries(env).map(([key, value]) => `${key}=${value}`), Entrypoint: entrypoint },
    rootfs: { type: 'layers', diff_ids: [layerDescriptor.digest] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'fairway' }],
  };
  const configDescriptor = writeBlob(
    layoutDir,
    Buffer.from(canonicalJson(config)),
    'application/vnd.oci.image.config.v1+json',
  );
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: configDescriptor, layers: [layerDescriptor] };
  return { ...writeBlob(layoutDir, Buffer.from(canonicalJson(manifest)), MANIFEST), annotations: { [REF_NAME]: name } };
}

function writeBlob(layoutDir: string, bytes: Buffer, mediaType: string): Descriptor {
  const digest = sha256(bytes);
  writeOnce(join(layoutDir, 'blobs', 'sha256', digest), bytes);
  return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
}

/** Whole or not at all; a file that is there already is left alone. */
function writeOnce(file: string, bytes: Buffer): void {
  if (existsSync(file)) return;
  writeFileSync(`${file}.new`, bytes);
  renameSync(`${file}.new`, file);
}

function listImages(layoutDir: string, wanted: readonly Descriptor[]): void {
  const file = join(layoutDir, 'index.json');
  const index: Index = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as Index)
    : { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };
  const names = new Set(wanted.map(({ annotations }) => annotations?.[REF_NAME]));
  const others = index.manifests.filter(({ annotations }) => !names.has(annotations?.[REF_NAME]));
  const text = canonicalJson({ ...index, manifests: [...wanted, ...others] });
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

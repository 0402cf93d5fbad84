import { canonicalJson, FairwayError, type ModelVersion } from '@fairway/core';
import { z } from 'zod';
import type { ImageBuilder } from '../../ports.ts';
import { type Layer, writeLayer } from './layer.ts';
import { type Layout, ociLayout } from './layout.ts';

export type ImageSettings = {
  /** Folder of the OCI layout; the base is in it, the model images go into it. */
  readonly layout: string;
  /** Prefix of image names, e.g. `registry.example.com/models`. */
  readonly repository: string;
  /** `name@sha256:…` of the TensorFlow Serving base. */
  readonly base: string;
};

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

const descriptor = z.looseObject({ mediaType: z.string(), digest: z.string(), size: z.number() });
const manifestSchema = z.looseObject({ schemaVersion: z.literal(2), config: descriptor, layers: z.array(descriptor) });
const configSchema = z.looseObject({
  config: z.looseObject({ Env: z.array(z.string()).optional() }).optional(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(z.string()) }),
  history: z.array(z.unknown()).optional(),
});
type Base = { readonly manifest: z.infer<typeof manifestSchema>; readonly config: z.infer<typeof configSchema> };

/** Appends a model as one layer to the pinned base, in an OCI layout folder: no daemon, and the same model gives the same digest. */
export function ociLayoutBuilder(settings: ImageSettings): ImageBuilder {
  const layout = ociLayout(settings.layout);
  // Pinned by digest: what was read once cannot change.
  let known: Promise<Base> | undefined;
  const forget = (error: unknown): never => {
    known = undefined;
    throw error;
  };
  return {
    build: async ({ modelVersion, folder }) => {
      const base = await (known ??= readBase(layout, settings.base).catch(forget));
      const prefix = `models/${modelVersion.model}/${modelVersion.version}`;
      const layer = await layout.addFile((file) => writeLayer(folder, prefix, file)).catch(asImageError);
      return addImage(layout, settings, base, modelVersion, layer).catch(asImageError);
    },
  };
}

async function addImage(
  layout: Layout,
  settings: ImageSettings,
  base: Base,
  modelVersion: ModelVersion,
  layer: Layer,
): Promise<string> {
  const config = Buffer.from(canonicalJson(imageConfig(base.config, modelVersion, layer)));
  const configDigest = await layout.addBytes(config);
  const manifest = Buffer.from(
    canonicalJson({
      ...base.manifest,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, digest: configDigest, size: config.length },
      layers: [...base.manifest.layers, { mediaType: LAYER, digest: layer.digest, size: layer.size }],
      annotations: annotations(modelVersion, settings.base),
    }),
  );
  const digest = await layout.addBytes(manifest);
  const name = `${settings.repository}/${modelVersion.model}`;
  const ref = { 'org.opencontainers.image.ref.name': `${name}:${modelVersion.version}` };
  await layout.list({ mediaType: MANIFEST, digest, size: manifest.length, annotations: ref });
  return `${name}@${digest}`;
}

async function readBase(layout: Layout, base: string): Promise<Base> {
  const digest = base.slice(base.indexOf('@') + 1);
  const manifest = manifestSchema.safeParse(JSON.parse((await layout.readBlob(digest)).toString('utf8')));
  if (!manifest.success)
    throw unusable(base, 'it is no image manifest (a multi-platform index must be pinned to one platform)');
  const config = configSchema.safeParse(
    JSON.parse((await layout.readBlob(manifest.data.config.digest)).toString('utf8')),
  );
  if (!config.success) throw unusable(base, 'its configuration is not that of an image');
  return { manifest: manifest.data, config: config.data };
}

function imageConfig(
  { config, rootfs, history, ...rest }: Base['config'],
  { model, digest }: ModelVersion,
  layer: Layer,
): object {
  const env = (config?.Env ?? []).filter((entry) => !entry.startsWith('MODEL_NAME='));
  const created = '1970-01-01T00:00:00Z';
  return {
    ...rest,
    created,
    config: { ...config, Env: [...env, `MODEL_NAME=${model}`] },
    rootfs: { ...rootfs, diff_ids: [...rootfs.diff_ids, layer.diffId] },
    history: [...(history ?? []), { created, created_by: `fairway: model ${digest}` }],
  };
}

function annotations({ model, version, digest, origin }: ModelVersion, base: string): Record<string, string> {
  const at = base.indexOf('@');
  return {
    'dev.fairway.model': model,
    'dev.fairway.version': version,
    'dev.fairway.digest': digest,
    'dev.fairway.origin': origin,
    'org.opencontainers.image.base.name': base.slice(0, at),
    'org.opencontainers.image.base.digest': base.slice(at + 1),
  };
}

const unusable = (base: string, why: string): FairwayError =>
  new FairwayError('image.failed', `SERVING_BASE ${base} cannot be built on: ${why}.`, { disposition: 'terminal' });

function asImageError(error: unknown): never {
  if (error instanceof FairwayError) throw error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC')
    throw new FairwayError('disk.full', 'There is no space left in IMAGE_LAYOUT for the model image; free some.');
  throw new FairwayError('image.failed', `The model image could not be written to IMAGE_LAYOUT: ${message}`, {
    cause: error,
  });
}

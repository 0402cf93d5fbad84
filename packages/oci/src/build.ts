import { canonicalJson, type ModelVersion } from '@fairway/core';
import { attach } from './attach.ts';
import { type Base, type BaseImage, type Dropped, readBase } from './base.ts';
import { carryLayers } from './carry.ts';
import { imageError } from './errors.ts';
import { modelTar } from './layer.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from './media.ts';
import { isTag } from './names.ts';
import type { ImageConfig } from './schema.ts';
import type { Descriptor, ImageStore, Platform, Stored } from './store.ts';

/** What stands in an image about its model. */
export type Labelled = Pick<ModelVersion, 'model' | 'version' | 'digest' | 'origin'>;

export type ImageRequest = {
  readonly model: Labelled;
  /** Folder of the SavedModel; its bytes must be those of `model.digest`. */
  readonly folder: string;
  /** The image is called `<repository>/<model>`, with the host of its registry. */
  readonly repository: string;
  /** Event id of the approval. */
  readonly approval?: string | undefined;
  readonly kind:
    | { readonly of: 'serving' /** `name@sha256:…`, of one platform or an index of several. */; readonly base: string }
    | { readonly of: 'model-only' /** linux/amd64 when not given. */; readonly platforms?: readonly Platform[] };
};

export type BuiltImage = {
  /** `name@sha256:…`. */
  readonly reference: string;
  readonly name: string;
  readonly digest: string;
  readonly tag: string;
  readonly layer: Stored;
  readonly platforms: readonly Platform[];
  readonly dropped: readonly Dropped[];
  /** Provenance and parts list, listed as referrers of the image. */
  readonly statements: readonly Descriptor[];
};

export type ImageBuilding = { build(request: ImageRequest): Promise<BuiltImage> };

/** Reproducible: nothing in an image says when it was made. */
const CREATED = '1970-01-01T00:00:00Z';
const AMD64: Platform = { os: 'linux', architecture: 'amd64' };

/** Builds images in `store`; what it has read of a base, which is pinned and cannot change, it reads once. */
export function imageBuilding(store: ImageStore): ImageBuilding {
  const known = new Map<string, Promise<Base>>();
  const baseOf = (reference: string): Promise<Base> => {
    const base = known.get(reference) ?? readBase(store, reference);
    known.set(reference, base);
    // A failed read is tried anew: the base may have been put there meanwhile.
    base.catch(() => known.delete(reference));
    return base;
  };
  return { build: async (request) => built(store, request, await groundOf(request, baseOf)) };
}

/**
 * Appends the model as one layer to the base, or makes an image of the model alone; the same request gives the same digest.
 * The tag `<version>` is written last: it never points to an image that is not whole.
 */
export const buildImage = (store: ImageStore, request: ImageRequest): Promise<BuiltImage> =>
  imageBuilding(store).build(request);

/** What the model is put on. */
type Ground = Pick<Base, 'images' | 'isIndex' | 'dropped'> & { readonly base: Base | undefined };

async function groundOf({ kind }: ImageRequest, baseOf: (reference: string) => Promise<Base>): Promise<Ground> {
  if (kind.of === 'serving') {
    const base = await baseOf(kind.base);
    return { ...base, base };
  }
  const platforms = kind.platforms ?? [AMD64];
  return { images: platforms.map(empty), isIndex: platforms.length > 1, dropped: [], base: undefined };
}

function empty(platform: Platform): BaseImage {
  const config = { ...platform, config: {}, rootfs: { type: 'layers' as const, diff_ids: [] } };
  const manifest = {
    schemaVersion: 2 as const,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: '', size: 0 },
    layers: [],
  };
  return { manifest, config, platform, listed: undefined };
}

async function built(store: ImageStore, request: ImageRequest, ground: Ground): Promise<BuiltImage> {
  const { model, folder, repository, kind } = request;
  const name = `${repository}/${model.model}`;
  if (!isTag(model.version))
    throw imageError(`Version ${model.version} cannot be a tag of ${name}; register it under a number.`);
  if (ground.base !== undefined) await carryLayers(store, ground.base, name);
  const tar = await modelTar(folder, prefixOf(kind.of, model));
  const layer = await store.add(name, { open: () => tar.open() });
  const top = await addManifests(store, name, request, ground, layer);
  const platforms = ground.images.map(({ platform }) => platform);
  const facts = { request, name, top, base: ground.base, files: tar.files() };
  const statements = await attach(store, facts);
  await store.putManifest(name, top, model.version);
  const { digest } = top;
  const { dropped } = ground;
  return { reference: `${name}@${digest}`, name, digest, tag: model.version, layer, platforms, dropped, statements };
}

/**
 * TensorFlow Serving looks below `/models/<model>`. An image for an image volume has the version at its root, so that it can be
 * mounted at `/models/<model>` without a sub path, which Kubernetes has for image volumes only since 1.33.
 */
export const prefixOf = (
  kind: ImageRequest['kind']['of'],
  { model, version }: Pick<Labelled, 'model' | 'version'>,
): string => (kind === 'serving' ? `models/${model}/${version}` : version);

type Top = { readonly mediaType: string; readonly bytes: Buffer; readonly digest: string };

async function addManifests(
  store: ImageStore,
  name: string,
  request: ImageRequest,
  ground: Ground,
  layer: Stored,
): Promise<Top> {
  const annotations = annotationsOf(request, ground.base);
  const images: Array<Top & { platform: Platform; listed: Descriptor | undefined }> = [];
  for (const image of ground.images) {
    const config = Buffer.from(canonicalJson(configOf(image.config, request, layer)));
    const stored = await store.add(name, { bytes: config });
    const bytes = Buffer.from(
      canonicalJson({
        ...image.manifest,
        config: { mediaType: OCI_CONFIG, ...stored },
        layers: [...image.manifest.layers, { mediaType: OCI_LAYER, ...layer }],
        annotations,
      }),
    );
    const put = await store.putManifest(name, { mediaType: OCI_MANIFEST, bytes });
    images.push({ mediaType: OCI_MANIFEST, bytes, digest: put.digest, platform: image.platform, listed: image.listed });
  }
  const [only] = images;
  if (!ground.isIndex && only !== undefined) return only;
  const manifests = images.map(({ digest, bytes, platform }) => ({
    mediaType: OCI_MANIFEST,
    digest,
    size: bytes.length,
    platform,
  }));
  const bytes = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests, annotations }));
  return {
    mediaType: OCI_INDEX,
    bytes,
    digest: (await store.putManifest(name, { mediaType: OCI_INDEX, bytes })).digest,
  };
}

function configOf(
  { config, rootfs, history, ...rest }: ImageConfig,
  { kind, model }: ImageRequest,
  layer: Stored,
): object {
  const env = (config?.Env ?? []).filter((entry) => !entry.startsWith('MODEL_NAME='));
  const named = kind.of === 'serving' ? { Env: [...env, `MODEL_NAME=${model.model}`] } : {};
  return {
    ...rest,
    created: CREATED,
    config: { ...config, ...named },
    // The layer is a plain tar: its digest is its diff id.
    rootfs: { ...rootfs, diff_ids: [...rootfs.diff_ids, layer.digest] },
    history: [...(history ?? []), { created: CREATED, created_by: `fairway: model ${model.digest}` }],
  };
}

/** Keys of the annotations about the model; docs/intake.md lists them. */
export const LABEL = {
  model: 'dev.fairway.model',
  version: 'dev.fairway.version',
  digest: 'dev.fairway.digest',
  origin: 'dev.fairway.origin',
  approval: 'dev.fairway.approval',
  baseName: 'org.opencontainers.image.base.name',
  baseDigest: 'org.opencontainers.image.base.digest',
} as const;

function annotationsOf({ model, approval }: ImageRequest, base: Base | undefined): Record<string, string> {
  return {
    [LABEL.model]: model.model,
    [LABEL.version]: model.version,
    [LABEL.digest]: model.digest,
    [LABEL.origin]: model.origin,
    ...(approval === undefined ? {} : { [LABEL.approval]: approval }),
    ...(base === undefined ? {} : { [LABEL.baseName]: base.name, [LABEL.baseDigest]: base.digest }),
  };
}

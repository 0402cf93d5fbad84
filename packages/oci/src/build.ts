import type { ModelVersion } from '@fairway/core';
import { type Appended, appendLayer, type Ground as OneGround } from './append.ts';
import { PARTS_TYPE, PROVENANCE_TYPE } from './attach.ts';
import { type Base, type BaseImage, type Dropped, readBase, servingRule } from './base.ts';
import { imageError } from './errors.ts';
import { modelTar } from './layer.ts';
import { OCI_CONFIG, OCI_MANIFEST } from './media.ts';
import { isTag } from './names.ts';
import type { ImageConfig } from './schema.ts';
import { partsList, provenance } from './statements.ts';
import type { ImageStore, Platform } from './store.ts';

/** What stands in an image about its model. */
export type Labelled = Pick<ModelVersion, 'model' | 'version' | 'digest' | 'origin'>;

export type ImageRequest = {
  readonly model: Labelled;
  /** Folder of the SavedModel; what is read from it must be `model.digest`. */
  readonly folder: string;
  /** The image is called `<repository>/<model>`, with the host of its registry. */
  readonly repository: string;
  /** Event id of the approval. */
  readonly approval?: string | undefined;
  readonly kind:
    | {
        readonly of: 'serving';
        /** `name@sha256:…`, of one platform or an index of several. */
        readonly base: string;
        /** What names the base, for sentences; SERVING_BASE when not given. */
        readonly setting?: string;
      }
    | { readonly of: 'model-only' /** linux/amd64 when not given. */; readonly platforms?: readonly Platform[] };
};

export type BuiltImage = Appended & { readonly dropped: readonly Dropped[] };

export type ImageBuilding = { build(request: ImageRequest): Promise<BuiltImage> };

/** Reproducible: nothing in an image says when it was made. */
const CREATED = '1970-01-01T00:00:00Z';
const AMD64: Platform = { os: 'linux', architecture: 'amd64' };

/** Builds images in `store`; what it has read of a base, which is pinned and cannot change, it reads once. */
export function imageBuilding(store: ImageStore): ImageBuilding {
  const known = new Map<string, Promise<Base>>();
  const baseOf: ReadOnce = (reference, setting) => {
    const key = `${setting} ${reference}`;
    const base = known.get(key) ?? readBase(store, reference, servingRule(setting));
    known.set(key, base);
    // A failed read is tried anew: the base may have been put there meanwhile.
    base.catch(() => known.delete(key));
    return base;
  };
  return { build: async (request) => built(store, request, await groundOf(request, baseOf)) };
}

/**
 * Appends the model as one layer to the base, or makes an image of the model alone; the same request gives the same digest. The tag
 * is `<version>`. Throws as `modelTar` does when the folder does not hold the bytes of `model.digest`; nothing names them then.
 */
export const buildImage = (store: ImageStore, request: ImageRequest): Promise<BuiltImage> =>
  imageBuilding(store).build(request);

/** What the model is put on. */
type Ground = OneGround & Pick<Base, 'dropped'>;

type ReadOnce = (reference: string, setting: string | undefined) => Promise<Base>;

async function groundOf({ kind }: ImageRequest, baseOf: ReadOnce): Promise<Ground> {
  if (kind.of === 'serving') {
    const base = await baseOf(kind.base, kind.setting);
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
  const tar = await modelTar(folder, prefixOf(kind.of, model), model.digest);
  const appended = await appendLayer(store, {
    name,
    tag: model.version,
    ground,
    open: () => tar.open(),
    annotations: annotationsOf(request, ground.base),
    created: CREATED,
    createdBy: `fairway: model ${model.digest}`,
    settings: (base) => settingsOf(request, base),
    statements: (top) => {
      const facts = { request, name, top, base: ground.base, files: tar.files() };
      return [
        { type: PROVENANCE_TYPE, body: provenance(facts) },
        { type: PARTS_TYPE, body: partsList(facts) },
      ];
    },
  });
  return { ...appended, dropped: ground.dropped };
}

/**
 * TensorFlow Serving looks below `/models/<model>`. An image for an image volume has the version at its root, so that it can be
 * mounted at `/models/<model>` without a sub path, which Kubernetes has for image volumes only since 1.33.
 */
export const prefixOf = (
  kind: ImageRequest['kind']['of'],
  { model, version }: Pick<Labelled, 'model' | 'version'>,
): string => (kind === 'serving' ? `models/${model}/${version}` : version);

/** What the settings of the base become: the server is told its model. */
function settingsOf({ kind, model }: ImageRequest, base: NonNullable<ImageConfig['config']>): object {
  if (kind.of !== 'serving') return base;
  const env = (base.Env ?? []).filter((entry) => !entry.startsWith('MODEL_NAME='));
  return { ...base, Env: [...env, `MODEL_NAME=${model.model}`] };
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

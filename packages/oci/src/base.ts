import { imageError } from './errors.ts';
import { collected } from './bytes.ts';
import { isUndistributable, OCI_INDEX, OCI_MANIFEST, ociType } from './media.ts';
import { parseReference } from './names.ts';
import { imageConfig, imageIndex, imageManifest, type ImageConfig, type ImageManifest, parsed } from './schema.ts';
import type { Descriptor, ImageStore, Manifest, Platform } from './store.ts';

/** The image of one platform, in OCI's words. */
export type BaseImage = {
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** As the index of the base lists it; undefined without an index. */
  readonly listed: Descriptor | undefined;
};
/** A manifest of the base's index that has no place in ours, and why. */
export type Dropped = { readonly digest: string; readonly reason: string };
export type Base = {
  readonly name: string;
  readonly digest: string;
  readonly images: readonly BaseImage[];
  readonly isIndex: boolean;
  readonly dropped: readonly Dropped[];
};

/** What is built on: what names the base in sentences, and why a platform has no place in the image (undefined: it has). */
export type BaseRule = {
  readonly setting: string;
  readonly reasonToDrop: (platform: Platform) => string | undefined;
};

export const servingRule = (setting = 'SERVING_BASE'): BaseRule => ({
  setting,
  reasonToDrop: ({ os }) => (os === 'linux' ? undefined : `TensorFlow Serving runs on Linux, this is for ${os}`),
});

/** Reads a base by `name@sha256:…`: manifests and configurations only, no layers. */
export async function readBase(store: ImageStore, reference: string, rule = servingRule()): Promise<Base> {
  const source = { store, reference, rule };
  const { name, digest } = parseReference(reference);
  if (digest === undefined) throw unusable(source, 'it is not pinned by digest');
  const top = await store.manifest(name, digest);
  if (top === undefined) throw unusable(source, `there is no such image in ${store.name}`);
  if (ociType(top.mediaType) !== OCI_INDEX) {
    const image = await readImage(source, name, top, undefined);
    const reason = rule.reasonToDrop(image.platform);
    if (reason !== undefined) throw unusable(source, reason);
    return { name, digest, images: [image], isIndex: false, dropped: [] };
  }
  const index = parsed(imageIndex, top.bytes, called(source));
  const dropped: Dropped[] = [];
  const images: BaseImage[] = [];
  for (const listed of index.manifests as Descriptor[]) {
    const reason = reasonToDrop(listed, rule);
    if (reason !== undefined) dropped.push({ digest: listed.digest, reason });
    else {
      const child = await store.manifest(name, listed.digest);
      if (child === undefined) throw unusable(source, `its manifest ${listed.digest} is not in ${store.name}`);
      images.push(await readImage(source, name, child, listed));
    }
  }
  if (images.length === 0) throw unusable(source, `its index lists no image that fits (${reasons(dropped)})`);
  return { name, digest, images, isIndex: true, dropped };
}

function reasonToDrop({ platform, annotations, mediaType }: Descriptor, rule: BaseRule): string | undefined {
  if (annotations?.['vnd.docker.reference.type'] !== undefined || platform?.os === 'unknown')
    return 'it attests the base image, and says nothing about this one';
  if (ociType(mediaType) !== OCI_MANIFEST) return `it is no image but ${mediaType}`;
  return platform && rule.reasonToDrop(platform);
}

type Source = { readonly store: ImageStore; readonly reference: string; readonly rule: BaseRule };

async function readImage(
  source: Source,
  name: string,
  { bytes, digest, mediaType }: Manifest,
  listed: Descriptor | undefined,
): Promise<BaseImage> {
  if (ociType(mediaType) !== OCI_MANIFEST) throw unusable(source, `${digest} is ${mediaType}, no image manifest`);
  const manifest = parsed(imageManifest, bytes, called(source));
  if (manifest.layers.some((layer) => isUndistributable(layer.mediaType)))
    throw unusable(source, 'it has layers that may not be given to other registries');
  const what = `The configuration of ${called(source, 'the')}`;
  const config = parsed(imageConfig, await collected(source.store.read(name, manifest.config.digest), what), what);
  if (config.rootfs.diff_ids.length !== manifest.layers.length)
    throw unusable(source, 'its configuration and its manifest differ in their layers');
  const { os = 'linux', architecture = 'amd64', variant } = config;
  const own = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return { manifest: inOciWords(manifest), config, platform: listed?.platform ?? own, listed };
}

/** Docker's manifests have no annotations, and half of each would be neither: every media type is renamed, no byte of a blob changes. */
function inOciWords(manifest: ImageManifest): ImageManifest {
  const renamed = <T extends { mediaType: string }>(one: T): T => ({ ...one, mediaType: ociType(one.mediaType) });
  return {
    ...manifest,
    mediaType: OCI_MANIFEST,
    config: renamed(manifest.config),
    layers: manifest.layers.map(renamed),
  };
}

const called = ({ reference, rule }: Source, the = 'The'): string => `${the} base image (${rule.setting}) ${reference}`;
const reasons = (dropped: readonly Dropped[]): string => [...new Set(dropped.map(({ reason }) => reason))].join('; ');

const unusable = ({ reference, rule: { setting } }: Source, why: string) =>
  imageError(
    `${setting} ${reference} cannot be built on: ${why}; put the pinned base image there, or correct ${setting}.`,
  );

import { LABEL, prefixOf } from './build.ts';
import { collected } from './bytes.ts';
import { imageError } from './errors.ts';
import { OCI_INDEX, ociType } from './media.ts';
import { parseReference } from './names.ts';
import { imageConfig, type ImageConfig, imageIndex, imageManifest, type ImageManifest, parsed } from './schema.ts';
import type { Descriptor, ImageStore, Manifest } from './store.ts';
import { treeOf } from './tree.ts';

/** What is in an image: computed from its bytes, except the claims `origin` and `approval`, which only the image itself makes. */
export type Proof = {
  /** `name@sha256:…`, whatever the image was asked for by. */
  readonly reference: string;
  readonly kind: 'serving' | 'model-only';
  readonly model: string;
  readonly version: string;
  /** Of the SavedModel, computed from the layer. */
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  readonly origin: string | undefined;
  readonly approval: string | undefined;
  /** `proven`: its manifest was at hand, and its layers are those below the model. */
  readonly base: { readonly name: string; readonly digest: string; readonly proven: boolean } | undefined;
  /** `linux/amd64`, … */
  readonly platforms: readonly string[];
  /** Artifact types of what is attached to the image. */
  readonly attached: readonly string[];
};

type One = {
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  readonly layer: Descriptor;
  readonly platform: string;
};
type Claims = Pick<Proof, 'kind' | 'model' | 'version' | 'digest' | 'origin' | 'approval'> & {
  readonly base: { readonly name: string; readonly digest: string } | undefined;
};

/**
 * Proves which model is inside an image: manifests, configurations and the model's layer are read and checked against their
 * digests, and the layer's SavedModel is fingerprinted anew. Throws `image.failed` with what does not fit.
 */
export async function proveImage(store: ImageStore, reference: string): Promise<Proof> {
  const { name, tag, digest } = parseReference(reference);
  const what = `The image ${reference}`;
  const top = await store.manifest(name, digest ?? tag ?? '');
  if (top === undefined) throw imageError(`${what} is not in ${store.name}; look at its name and digest.`);
  const { images, annotations } = await imagesOf(store, name, top, what);
  const claims = claimsOf(annotations, images, what);
  const layer = sameLayer(images, claims, what);
  const found = await treeOf(
    store.read(name, layer.digest),
    ociType(layer.mediaType),
    prefixOf(claims.kind, claims),
    what,
  );
  if (found.digest !== claims.digest) {
    throw imageError(`${what} says that its model is ${claims.digest}, and holds ${found.digest}: do not deploy it.`);
  }
  const proven = claims.base !== undefined && (await isOnBase(store, claims.base, images, what));
  return {
    reference: `${name}@${top.digest}`,
    ...claims,
    ...found,
    base: claims.base === undefined ? undefined : { ...claims.base, proven },
    platforms: images.map(({ platform }) => platform),
    attached: (await store.referrers(name, top.digest))
      .map(({ artifactType, mediaType }) => artifactType ?? mediaType)
      .sort(),
  };
}

type Annotations = Readonly<Record<string, string>>;

async function imagesOf(
  store: ImageStore,
  name: string,
  top: Manifest,
  what: string,
): Promise<{ images: One[]; annotations: Annotations }> {
  if (ociType(top.mediaType) !== OCI_INDEX) {
    const one = await readOne(store, name, top, what);
    return { images: [one], annotations: one.manifest.annotations ?? {} };
  }
  const { manifests, annotations = {} } = parsed(imageIndex, top.bytes, what);
  const images: One[] = [];
  for (const { digest } of manifests) {
    const child = await store.manifest(name, digest);
    if (child === undefined) throw imageError(`${what} lists ${digest}, which is not in ${store.name}.`);
    images.push(await readOne(store, name, child, what));
  }
  return { images, annotations };
}

async function readOne(store: ImageStore, name: string, { bytes }: Manifest, what: string): Promise<One> {
  const manifest = parsed(imageManifest, bytes, what);
  const config = parsed(imageConfig, await collected(store.read(name, manifest.config.digest), what), what);
  const layer = manifest.layers.at(-1) as Descriptor | undefined;
  if (layer === undefined || config.rootfs.diff_ids.length !== manifest.layers.length)
    throw imageError(`${what} is not whole: its configuration and its manifest differ in their layers.`);
  const platform = [config.os ?? 'unknown', config.architecture ?? 'unknown', config.variant].filter(Boolean).join('/');
  return { manifest, config, layer, platform };
}

/** What the image says about itself; every platform must say the same. */
function claimsOf(annotations: Annotations, images: readonly One[], what: string): Claims {
  const { [LABEL.model]: model, [LABEL.version]: version, [LABEL.digest]: digest } = annotations;
  if (model === undefined || version === undefined || digest === undefined)
    throw imageError(
      `${what} was not built by Fairway: it does not say which model it holds (${LABEL.model} and others).`,
    );
  for (const { manifest, platform } of images) {
    const other = Object.values(LABEL).find((key) => manifest.annotations?.[key] !== annotations[key]);
    if (other !== undefined) throw imageError(`${what} contradicts itself: ${other} of ${platform} is another one.`);
  }
  const { [LABEL.baseName]: baseName, [LABEL.baseDigest]: baseDigest } = annotations;
  const base = baseName === undefined || baseDigest === undefined ? undefined : { name: baseName, digest: baseDigest };
  const kind = base === undefined ? 'model-only' : 'serving';
  return {
    kind,
    model,
    version,
    digest,
    origin: annotations[LABEL.origin],
    approval: annotations[LABEL.approval],
    base,
  };
}

/** One layer for all platforms, and TensorFlow Serving told to serve what is in it. */
function sameLayer(images: readonly One[], { kind, model }: Claims, what: string): Descriptor {
  const [first] = images;
  if (first === undefined) throw imageError(`${what} lists no platform.`);
  for (const { layer, config, platform } of images) {
    if (layer.digest !== first.layer.digest)
      throw imageError(`${what} contradicts itself: the model's layer of ${platform} is another one.`);
    const named = config.config?.Env?.findLast((entry) => entry.startsWith('MODEL_NAME='));
    if (kind === 'serving' && named !== `MODEL_NAME=${model}`)
      throw imageError(`${what} does not serve the model that it says: ${platform} has ${named ?? 'no MODEL_NAME'}.`);
  }
  return first.layer;
}

/** False when the base is not at hand, so that nothing can be said; throws when it is and its layers are others. */
async function isOnBase(
  store: ImageStore,
  base: { name: string; digest: string },
  images: readonly One[],
  what: string,
) {
  const top = await store.manifest(base.name, base.digest).catch(() => undefined);
  if (top === undefined) return false;
  const manifests: ImageManifest[] = [];
  if (ociType(top.mediaType) === OCI_INDEX) {
    for (const { digest } of parsed(imageIndex, top.bytes, base.name).manifests) {
      const child = await store.manifest(base.name, digest);
      const body = child && parsed(imageManifest.or(imageIndex), child.bytes, base.name);
      if (body !== undefined && 'layers' in body) manifests.push(body as ImageManifest);
    }
  } else manifests.push(parsed(imageManifest, top.bytes, base.name));
  const stacks = new Set(manifests.map(({ layers }) => layers.map(({ digest }) => digest).join()));
  const stray = images.find(
    ({ manifest }) =>
      !stacks.has(
        manifest.layers
          .slice(0, -1)
          .map(({ digest }) => digest)
          .join(),
      ),
  );
  if (stray !== undefined)
    throw imageError(
      `${what} says that it is built on ${base.name}@${base.digest}, and ${stray.platform} has other layers below the model.`,
    );
  return true;
}

import { canonicalJson } from '@fairway/core';
import { attach, type Statement } from './attach.ts';
import type { Base } from './base.ts';
import { carryLayers } from './carry.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from './media.ts';
import type { ImageConfig } from './schema.ts';
import type { Descriptor, ImageStore, Platform, Stored } from './store.ts';

/** What a layer is put on: images of one platform each, as an index lists them or one alone; and the base that they are from. */
export type Ground = Pick<Base, 'images' | 'isIndex'> & { readonly base: Base | undefined };
export type Top = { readonly mediaType: string; readonly bytes: Buffer; readonly digest: string };

export type Appending = {
  readonly name: string;
  readonly tag: string;
  readonly ground: Ground;
  /** Where the base is, when it is not where the image is to be. */
  readonly from?: ImageStore | undefined;
  /** The layer, a plain tar, so that its digest is its diff id. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly annotations: Readonly<Record<string, string>>;
  /** When, as ISO 8601, and by what. */
  readonly created: string;
  readonly createdBy: string;
  /** The base's settings of a container, changed as the image wants them. */
  settings(base: NonNullable<ImageConfig['config']>): object;
  /** What is said about the image; called when the layer was written. */
  statements(top: Top): readonly Statement[];
};
export type Appended = {
  /** `name@sha256:…`. */
  readonly reference: string;
  readonly name: string;
  readonly digest: string;
  readonly tag: string;
  readonly layer: Stored;
  readonly platforms: readonly Platform[];
  /** Listed as referrers of the image. */
  readonly statements: readonly Descriptor[];
};

/** Appends one layer to every image of the ground. The tag is written last: it never points to an image that is not whole. */
export const appendLayer = (store: ImageStore, appending: Appending): Promise<Appended> =>
  store.together((all) => appended(all, appending));

async function appended(store: ImageStore, appending: Appending): Promise<Appended> {
  const { name, tag, ground, from, open } = appending;
  if (ground.base !== undefined) await carryLayers(store, ground.base, name, from);
  const layer = await store.add(name, { open });
  const top = await assemble(store, appending, layer);
  const statements = await attach(store, name, top, appending.statements(top));
  await store.putManifest(name, top, tag);
  const platforms = ground.images.map(({ platform }) => platform);
  return { reference: `${name}@${top.digest}`, name, digest: top.digest, tag, layer, platforms, statements };
}

/** Writes configurations and manifests, and for a base that is an index an index; answers the topmost manifest. */
async function assemble(store: ImageStore, appending: Appending, layer: Stored): Promise<Top> {
  const { name, ground, annotations } = appending;
  const put = async (mediaType: string, body: object): Promise<Top> => {
    const bytes = Buffer.from(canonicalJson(body));
    return { mediaType, bytes, digest: (await store.putManifest(name, { mediaType, bytes })).digest };
  };
  const images: Top[] = [];
  for (const { config, manifest } of ground.images) {
    const stored = await store.add(name, { bytes: Buffer.from(canonicalJson(configOf(config, appending, layer))) });
    const layers = [...manifest.layers, { mediaType: OCI_LAYER, ...layer }];
    images.push(
      await put(OCI_MANIFEST, { ...manifest, config: { mediaType: OCI_CONFIG, ...stored }, layers, annotations }),
    );
  }
  const [only] = images;
  if (!ground.isIndex && only !== undefined) return only;
  const manifests = images.map(({ digest, bytes, mediaType }, at) => ({
    mediaType,
    digest,
    size: bytes.length,
    platform: ground.images[at]?.platform,
  }));
  return put(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests, annotations });
}

function configOf({ config, rootfs, history, ...rest }: ImageConfig, appending: Appending, layer: Stored): object {
  const { created, createdBy } = appending;
  return {
    ...rest,
    created,
    config: appending.settings(config ?? {}),
    rootfs: { ...rootfs, diff_ids: [...rootfs.diff_ids, layer.digest] },
    history: [...(history ?? []), { created, created_by: createdBy }],
  };
}

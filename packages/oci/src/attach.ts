import { canonicalJson } from '@fairway/core';
import { OCI_EMPTY, OCI_MANIFEST } from './media.ts';
import type { Descriptor, ImageStore } from './store.ts';

export const PROVENANCE_TYPE = 'application/vnd.in-toto+json';
export const PARTS_TYPE = 'application/vnd.cyclonedx+json';

/** A JSON document about an image, and its media type. */
export type Statement = { readonly type: string; readonly body: object };

/** Writes statements as artifacts whose subject is the image `top` (image-spec 1.1, "artifacts usage"). */
export async function attach(
  store: ImageStore,
  name: string,
  top: Subject,
  statements: readonly Statement[],
): Promise<Descriptor[]> {
  const empty = { mediaType: OCI_EMPTY, ...(await store.add(name, { bytes: Buffer.from('{}') })) };
  const subject = { mediaType: top.mediaType, digest: top.digest, size: top.bytes.length };
  const write = async ({ type: artifactType, body }: Statement): Promise<Descriptor> => {
    const stored = await store.add(name, { bytes: Buffer.from(canonicalJson(body)) });
    const layers = [{ mediaType: artifactType, ...stored }];
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType, config: empty, layers, subject };
    const bytes = Buffer.from(canonicalJson(manifest));
    return {
      mediaType: OCI_MANIFEST,
      artifactType,
      ...(await store.putManifest(name, { mediaType: OCI_MANIFEST, bytes })),
    };
  };
  return Promise.all(statements.map(write));
}

type Subject = { readonly mediaType: string; readonly bytes: Buffer; readonly digest: string };

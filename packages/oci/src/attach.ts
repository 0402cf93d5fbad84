import { canonicalJson } from '@fairway/core';
import { OCI_EMPTY, OCI_MANIFEST } from './media.ts';
import { type Facts, partsList, provenance } from './statements.ts';
import type { Descriptor, ImageStore } from './store.ts';

export const PROVENANCE_TYPE = 'application/vnd.in-toto+json';
export const PARTS_TYPE = 'application/vnd.cyclonedx+json';

/** Writes provenance and parts list as artifacts whose subject is the image (image-spec 1.1, "artifacts usage"). */
export async function attach(store: ImageStore, facts: Facts & { top: Subject }): Promise<Descriptor[]> {
  const { name, top } = facts;
  const empty = { mediaType: OCI_EMPTY, ...(await store.add(name, { bytes: Buffer.from('{}') })) };
  const subject = { mediaType: top.mediaType, digest: top.digest, size: top.bytes.length };
  const write = async (artifactType: string, statement: object): Promise<Descriptor> => {
    const stored = await store.add(name, { bytes: Buffer.from(canonicalJson(statement)) });
    const layers = [{ mediaType: artifactType, ...stored }];
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType, config: empty, layers, subject };
    const bytes = Buffer.from(canonicalJson(manifest));
    return {
      mediaType: OCI_MANIFEST,
      artifactType,
      ...(await store.putManifest(name, { mediaType: OCI_MANIFEST, bytes })),
    };
  };
  return Promise.all([write(PROVENANCE_TYPE, provenance(facts)), write(PARTS_TYPE, partsList(facts))]);
}

type Subject = { readonly mediaType: string; readonly bytes: Buffer; readonly digest: string };

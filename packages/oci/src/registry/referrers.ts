import { canonicalJson } from '@fairway/core';
import { OCI_INDEX } from '../media.ts';
import { imageIndex, imageManifest, parsed } from '../schema.ts';
import type { Descriptor, Manifest } from '../store.ts';
import type { Client } from './client.ts';
import { isHtml, refusal } from './refusal.ts';
import type { Access } from './tokens.ts';

/** Manifests about `digest`: by the referrers API, or where it is missing by the tag that stands for it (distribution-spec 1.1). */
export async function referrersOf(http: Client, access: Access, digest: string): Promise<Descriptor[]> {
  const { at } = access;
  const answer = await http.call(access, 'GET', http.urlOf(at, `/referrers/${digest}`), {
    headers: { accept: OCI_INDEX },
  });
  if (answer.status === 200 && !isHtml(answer.headers)) {
    const { manifests } = parsed(imageIndex, Buffer.from(answer.text), `The list of referrers of ${digest}`);
    return manifests;
  }
  if (answer.status !== 404 || isHtml(answer.headers))
    throw refusal(http.place(at), 'referrers were asked for', answer);
  return (await listed(http, access, digest)).manifests;
}

const tagOf = (digest: string): string => digest.replace(':', '-');

type Listed = { readonly manifests: Descriptor[] };

async function listed(http: Client, access: Access, digest: string): Promise<Listed> {
  const { at } = access;
  const url = http.urlOf(at, `/manifests/${tagOf(digest)}`);
  const answer = await http.call(access, 'GET', url, { headers: { accept: OCI_INDEX } });
  if (answer.status === 404 && !isHtml(answer.headers)) return { manifests: [] };
  if (answer.status !== 200 || isHtml(answer.headers))
    throw refusal(http.place(at), 'referrers were asked for', answer);
  const { manifests } = parsed(imageIndex, Buffer.from(answer.text), `The tag ${tagOf(digest)} of ${at.name}`);
  return { manifests };
}

/**
 * Adds a manifest to the tag that lists what is about `subject`. Two that do this at once may lose one entry, since registries
 * know no conditional write of a tag; the same image is built by one turn at a time, and built again it is listed again.
 */
export async function listReferrer(http: Client, access: Access, subject: string, one: Manifest): Promise<void> {
  const { manifests } = await listed(http, access, subject);
  if (manifests.some(({ digest }) => digest === one.digest)) return;
  const { artifactType, annotations } = parsed(imageManifest, one.bytes, 'The manifest that was written');
  const { mediaType, digest } = one;
  const added: Descriptor = { mediaType, digest, size: one.bytes.length, artifactType, annotations };
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...manifests, added] };
  const bytes = Buffer.from(canonicalJson(index));
  const url = http.urlOf(access.at, `/manifests/${tagOf(subject)}`);
  const answer = await http.call(access, 'PUT', url, { body: { bytes, type: OCI_INDEX } });
  if (answer.status !== 201) throw refusal(http.place(access.at), 'a referrer was listed', answer);
}

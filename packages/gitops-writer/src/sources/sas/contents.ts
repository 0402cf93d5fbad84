import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FairwayError, hashFields } from '@fairway/core';
import type { SasServer } from './client.ts';
import { checkId } from './identity.ts';
import { collect } from './paging.ts';
import type { SasVersion } from './versions.ts';
import { contentSchema, instant, type SasContent } from './wire.ts';

const MODELS = '/modelRepository/models';

/** The files of a version: of the model for the one that is worked on, frozen ones for an older one. */
export async function contentsOf(server: SasServer, { modelId, frozen, label }: SasVersion): Promise<SasContent[]> {
  const model = `${MODELS}/${checkId(label, modelId)}`;
  const path = frozen === undefined ? model : `${model}/modelVersions/${checkId(label, frozen)}`;
  const listed = await collect(server, {
    path: `${path}/contents`,
    item: contentSchema,
    what: `to list the contents of ${label}`,
  });
  return listed.map((content) => ({ ...content, links: [{ rel: 'content', uri: addressOfBytes(path, content) }] }));
}

/** The link to the bytes has no `href` on 2023.10; where there is none at all, the address is known. */
function addressOfBytes(path: string, { id, links }: SasContent): string {
  const link = links.find(({ rel, method }) => rel?.toLowerCase() === 'content' && (method ?? 'GET') === 'GET');
  return link?.uri ?? link?.href ?? `${path}/contents/${checkId('A content', id)}/content`;
}

const bytesAt = ({ links }: SasContent): string => links.at(0)?.uri ?? '';

/** The one content of this name; undefined: none. Two are refused, because nobody could say which was approved. */
export function contentNamed(contents: readonly SasContent[], name: string, label: string): SasContent | undefined {
  const [found, ...others] = contents.filter((content) => content.name === name);
  if (others.length === 0) return found;
  throw new FairwayError(
    'model.invalid',
    `${label} has ${others.length + 1} contents named ${name} in SAS; remove all but the one that was approved.`,
  );
}

export function archiveOf(contents: readonly SasContent[], name: string, label: string): SasContent {
  const found = contentNamed(contents, name, label);
  if (found !== undefined) return found;
  const names = contents.map((content) => content.name).slice(0, 50);
  const what = names.length === 0 ? 'it has no contents' : `it has: ${names.join(', ')}`;
  throw new FairwayError(
    'model.invalid',
    `${label} has no content named ${name} in SAS (source.archive in model.yaml); ${what}. Add the archive under this name, or correct source.archive.`,
  );
}

/** Changes when a content is added, removed, or replaced in place. */
export const stateOfContents = (contents: readonly SasContent[]): string =>
  hashFields(contents.map(stateOfContent).sort());

/** Times are compared as instants: releases write them with 0 to 6 digits of a fraction. */
export const stateOfContent = ({ id, name, fileUri, modifiedTimeStamp }: SasContent): string =>
  hashFields([id, name, fileUri ?? '', String(instant(modifiedTimeStamp) ?? '')]);

export type Downloaded = { readonly sha256: string; readonly bytes: number };

/** The bytes of a content into a new file `to`, which is not there when this throws. Types and names in the answer are not believed. */
export async function download(server: SasServer, content: SasContent, to: string, limit: number): Promise<Downloaded> {
  const what = `to give ${content.name}`;
  const { body } = await server.download(bytesAt(content), what);
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      bytes += chunk.length;
      done(bytes > limit ? tooLarge(content.name, limit) : null, chunk);
    },
  });
  try {
    await pipeline(body, counted, createWriteStream(to, { flags: 'wx' }));
  } catch (error) {
    body.destroy();
    await rm(to, { force: true });
    throw asDownloadError(error, content.name, bytes);
  }
  if (bytes > 0) return { sha256: hash.digest('hex'), bytes };
  await rm(to, { force: true });
  throw new FairwayError('model.invalid', `${content.name} is empty in SAS; add it to the model once more.`);
}

const tooLarge = (name: string, limit: number): FairwayError =>
  new FairwayError(
    'model.invalid',
    `${name} in SAS is larger than ${limit} bytes, the most that is taken; make it smaller.`,
  );

function asDownloadError(error: unknown, name: string, bytes: number): FairwayError {
  if (error instanceof FairwayError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC')
    return new FairwayError('disk.full', 'There is no space left below DATA_DIR for a copy of the model; free some.');
  return new FairwayError(
    'registry.unavailable',
    `The download of ${name} from SAS Viya (SAS_URL) broke off after ${bytes} bytes (${message}); nothing of it was kept.`,
  );
}

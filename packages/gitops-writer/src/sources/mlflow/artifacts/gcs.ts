import { FairwayError } from '@fairway/core';
import { type Remote, remote } from '@fairway/remote';
import { z } from 'zod';
import { bodyOf } from './body.ts';
import type { Artifact, ArtifactStore } from './store.ts';

const MOST_PAGES = 100;

/** https://cloud.google.com/storage/docs/json_api/v1/objects/list; 64 bit numbers are text. */
const PAGE = z.object({
  items: z
    .array(
      z.object({
        name: z.string(),
        size: z.coerce.number().int().nonnegative().optional(),
        generation: z
          .string()
          .regex(/^\d{1,20}$/)
          .optional(),
      }),
    )
    .default([]),
  nextPageToken: z.string().optional(),
});

/** `token`: an access token that is good now. */
export type GcsAccess = { readonly endpoint: string; readonly token: () => Promise<string> };

/** Objects below `prefix` of a bucket of Google Cloud Storage, by its JSON API. */
export function gcsStore({ endpoint, token }: GcsAccess, bucket: string, prefix: string): ArtifactStore {
  if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(bucket)) {
    throw new FairwayError(
      'model.invalid',
      `${JSON.stringify(bucket)} is no name of a bucket; register the model again.`,
    );
  }
  const server = remote({
    base: endpoint,
    name: `The Cloud Storage bucket ${bucket}`,
    setting: 'GCS_ENDPOINT_URL',
    headers: async () => ({ authorization: `Bearer ${await token()}` }),
  });
  const start = prefix === '' ? '' : `${prefix}/`;
  return {
    list: () => list(server, bucket, start),
    open: async ({ path, etag }, signal) => {
      // The generation that was listed, so that no other can slip in.
      const query = { alt: 'media', ...(etag === undefined ? {} : { generation: etag }) };
      const headers = { accept: '*/*', 'accept-encoding': 'identity' };
      const answer = await server.download(`${objectsOf(bucket)}/${encodeURIComponent(start + path)}`, {
        query,
        headers,
        signal,
      });
      return bodyOf(answer, `${path} from the Cloud Storage bucket ${bucket}`);
    },
    close: server.close,
  };
}

const objectsOf = (bucket: string): string => `/storage/v1/b/${bucket}/o`;

async function list(server: Remote, bucket: string, start: string): Promise<Artifact[]> {
  const found: Artifact[] = [];
  const seen = new Set<string>();
  for (let next = ''; ; ) {
    const query = { prefix: start, maxResults: 1000, ...(next === '' ? {} : { pageToken: next }) };
    const { status, data } = await server.call('GET', objectsOf(bucket), { query });
    const page = PAGE.safeParse(data);
    if (status !== 200 || !page.success) throw refused(bucket, status);
    // Tools that show folders leave empty objects with a slash at their end.
    const files = page.data.items.filter(({ name }) => name.startsWith(start) && !name.endsWith('/'));
    found.push(
      ...files.map(({ name, size, generation }) => ({ path: name.slice(start.length), size, etag: generation })),
    );
    next = page.data.nextPageToken ?? '';
    if (next === '') return found;
    if (seen.has(next) || seen.size >= MOST_PAGES) throw endless(bucket, start);
    seen.add(next);
  }
}

const endless = (bucket: string, prefix: string): FairwayError =>
  new FairwayError(
    'registry.unavailable',
    `The Cloud Storage bucket ${bucket} pages without an end below ${prefix}; register the folder of the model itself.`,
  );

function refused(bucket: string, status: number): FairwayError {
  const mend =
    status === 404
      ? 'there is no such bucket'
      : status === 401 || status === 403
        ? 'the service account of GOOGLE_APPLICATION_CREDENTIALS may not list it; give it the role Storage Object Viewer'
        : 'that is no listing of a bucket; correct GCS_ENDPOINT_URL';
  return new FairwayError('registry.unavailable', `The Cloud Storage bucket ${bucket} answered ${status}: ${mend}.`);
}

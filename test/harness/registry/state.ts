import { createHash, randomUUID } from 'node:crypto';

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export type Kept = { readonly type: string; readonly bytes: Buffer };
export type Repository = {
  readonly blobs: Set<string>;
  readonly manifests: Map<string, Kept>;
  readonly tags: Map<string, string>;
};
export type Upload = { readonly repository: string; readonly chunks: Buffer[]; size: number; state: number };

/** What a registry holds: blobs once for all, and who may be given them by repository. */
export type State = {
  readonly bytes: Map<string, Buffer>;
  readonly repositories: Map<string, Repository>;
  readonly uploads: Map<string, Upload>;
};

export const emptyState = (): State => ({ bytes: new Map(), repositories: new Map(), uploads: new Map() });

export function repositoryOf({ repositories }: State, name: string): Repository {
  const found = repositories.get(name) ?? { blobs: new Set(), manifests: new Map(), tags: new Map() };
  repositories.set(name, found);
  return found;
}

export function beginUpload({ uploads }: State, repository: string): string {
  const id = randomUUID();
  uploads.set(id, { repository, chunks: [], size: 0, state: 0 });
  return id;
}

export function keepBlob(state: State, repository: string, bytes: Buffer): string {
  const digest = digestOf(bytes);
  state.bytes.set(digest, bytes);
  repositoryOf(state, repository).blobs.add(digest);
  return digest;
}

type Body = {
  readonly mediaType?: string;
  readonly config?: { readonly digest: string };
  readonly layers?: ReadonlyArray<{ readonly digest: string }>;
  readonly manifests?: ReadonlyArray<{ readonly digest: string }>;
  readonly subject?: { readonly digest: string };
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** The manifest, or the code of the distribution API for what is wrong with it. A `subject` need not exist. */
export function readManifest(repository: Repository, type: string, bytes: Buffer): Body | string {
  let body: Body;
  try {
    body = JSON.parse(bytes.toString('utf8')) as Body;
  } catch {
    return 'MANIFEST_INVALID';
  }
  if (body.mediaType !== undefined && body.mediaType !== type) return 'MANIFEST_INVALID';
  const blobs = [...(body.config ? [body.config] : []), ...(body.layers ?? [])];
  const isWhole =
    blobs.every(({ digest }) => repository.blobs.has(digest)) &&
    (body.manifests ?? []).every(({ digest }) => repository.manifests.has(digest));
  return isWhole ? body : 'MANIFEST_BLOB_UNKNOWN';
}

export function referrersOf(repository: Repository, subject: string): object[] {
  const found: object[] = [];
  for (const [digest, { type, bytes }] of repository.manifests) {
    const body = JSON.parse(bytes.toString('utf8')) as Body;
    if (body.subject?.digest !== subject) continue;
    const { artifactType, annotations } = body;
    found.push({ mediaType: type, digest, size: bytes.length, artifactType, annotations });
  }
  return found;
}

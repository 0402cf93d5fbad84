import type { KubeAnswer, KubeCaller } from '@fairway/gitops-writer';

/** The parts of Kubernetes objects that the checks look at; everything may be absent. */
export type Item = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
};

/** What was asked for, or why it cannot be seen: `absent` (404), or a sentence of who may not look. */
export type Seen<T> = { readonly found: T } | { readonly absent: true } | { readonly refused: string };

export type Looker = {
  readonly namespace: string;
  readonly argocd: string;
  get(path: string): Promise<Seen<Item>>;
  list(path: string): Promise<Seen<readonly Item[]>>;
  /** That an object exists, by its metadata alone: what a Secret holds never leaves the API server. */
  exists(path: string): Promise<Seen<true>>;
  post(path: string, body: object): Promise<KubeAnswer>;
  /** Kinds of a group and version; empty when it is not served. */
  kinds(apiVersion: string): Promise<readonly string[]>;
};

const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

export function looker(caller: KubeCaller, namespace: string, argocd: string): Looker {
  const served = new Map<string, Promise<readonly string[]>>();
  const look = async <T>(path: string, read: (body: never) => T, accept?: string): Promise<Seen<T>> => {
    const { status, body } = await caller.call(path, accept === undefined ? {} : { accept });
    if (status === 200) return { found: read(body as never) };
    if (status === 404) return { absent: true };
    return { refused: said(status, body) };
  };
  return {
    namespace,
    argocd,
    get: (path) => look(path, (body: Item) => body),
    list: (path) => look(path, (body: { items?: readonly Item[] }) => body.items ?? []),
    exists: (path) => look(path, () => true as const, METADATA),
    post: (path, body) => caller.call(path, { body }),
    kinds: (apiVersion) => {
      const known = served.get(apiVersion) ?? kindsOf(caller, apiVersion);
      served.set(apiVersion, known);
      return known;
    },
  };
}

async function kindsOf(caller: KubeCaller, apiVersion: string): Promise<readonly string[]> {
  const { status, body } = await caller.call(apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`);
  if (status !== 200) return [];
  return ((body as { resources?: readonly { kind: string }[] } | undefined)?.resources ?? []).map(({ kind }) => kind);
}

/** A refusal in the server's own words. */
export function said(status: number, body: unknown): string {
  const { message } = (body ?? {}) as { message?: unknown };
  return typeof message === 'string' && message !== '' ? message : `the API answers ${status}`;
}

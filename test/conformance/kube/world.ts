import { randomBytes } from 'node:crypto';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { definition } from '../../harness/kube-definitions.ts';
import { eventually } from '../../integration/kube/cluster.ts';

export type Body = {
  readonly [key: string]: unknown;
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly [key: string]: unknown;
  };
};
export type Reply = {
  readonly status: number;
  readonly body: Body;
  readonly text: string;
  readonly headers: NodeJS.Dict<string | string[]>;
};
export type Request = {
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly token?: string;
};

/** An API server that the suite asks, and a namespace of its own there. */
export type World = {
  readonly config: KubeConfig;
  readonly namespace: string;
  /** A version from which the server can no longer watch this collection. */
  readonly tooOld: (path: string) => Promise<string>;
};

export const freshName = (what: string): string => `${what}-${randomBytes(4).toString('hex')}`;

/**
 * The kubeconfig of a real server, or why there is none. FAIRWAY_TEST_KUBECONFIG is taken as it is; KUBECONFIG, which may lead
 * to somebody's production, only when it names a server on this machine.
 */
export function realServer(env: NodeJS.ProcessEnv): { readonly file: string } | { readonly why: string } {
  const { FAIRWAY_TEST_KUBECONFIG: meant, KUBECONFIG: usual } = env;
  if (meant) return { file: meant };
  if (!usual) return { why: 'no real API server: KUBECONFIG is not set' };
  const config = new KubeConfig();
  config.loadFromFile(usual);
  const host = new URL(config.getCurrentCluster()?.server ?? 'https://nowhere').hostname;
  return host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.')) || host === '[::1]'
    ? { file: usual }
    : {
        why: `KUBECONFIG leads to ${host}, not to this machine: set FAIRWAY_TEST_KUBECONFIG if the suite may write there`,
      };
}

const doors = new WeakMap<KubeConfig, Promise<RequestOptions>>();

/** How a server is reached. The client would make each request a connection of its own, and most of a suite's computing would be TLS. */
function doorOf(config: KubeConfig): Promise<RequestOptions> {
  const known = doors.get(config) ?? opened(config);
  doors.set(config, known);
  return known;
}

async function opened(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { agent: _, ...door } = options;
  const { ca, cert, key, rejectUnauthorized, servername } = door;
  const secrets = Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(
    ([, value]) => value != null,
  );
  return { ...door, agent: new Agent({ ...Object.fromEntries(secrets), keepAlive: true }) };
}

/** Any request, as JSON unless the answer is none. */
export async function call(
  { config }: Pick<World, 'config'>,
  method: string,
  path: string,
  request: Request = {},
): Promise<Reply> {
  const { body, type = 'application/json', accept, token } = request;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const options = await doorOf(config);
  const headers = {
    'user-agent': 'suite/1',
    ...(text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
    ...(accept === undefined ? {} : { accept }),
    authorization: `Bearer ${token ?? config.getCurrentUser()?.token}`,
  };
  const url = new URL(path, config.getCurrentCluster()?.server);
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(url, { ...options, method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const answered = Buffer.concat(chunks).toString('utf8');
        const json = answer.headers['content-type']?.startsWith('application/json');
        resolve({
          status: answer.statusCode ?? 0,
          body: json ? JSON.parse(answered) : {},
          text: answered,
          headers: answer.headers,
        });
      });
    });
    sent.once('error', reject);
    sent.end(text);
  });
}

export const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

/** Server-side apply of an object, at the path of its collection. */
export const apply = (
  world: Pick<World, 'config'>,
  collection: string,
  object: { readonly metadata: { readonly name: string } },
  query = 'fieldManager=suite',
): Promise<Reply> =>
  call(world, 'PATCH', `${collection}/${object.metadata.name}?${query}`, { body: object, type: APPLY });

/** Adds kinds by CustomResourceDefinitions, and waits until they are served. */
export async function define(
  world: Pick<World, 'config'>,
  kinds: readonly Parameters<typeof definition>[0][],
): Promise<void> {
  for (const kind of kinds) {
    const made = await apply(world, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition(kind));
    if (made.status >= 300) throw new Error(`${kind.kind}: ${made.text}`);
  }
  for (const { group, version, plural, kind } of kinds)
    await eventually(
      `${kind} is served`,
      async () => (await call(world, 'GET', `/apis/${group}/${version}/${plural}`)).status === 200,
    );
}

/** How the server refuses: `metav1.Status`. */
export const refusal = ({ status, body }: Reply) => {
  const { kind, apiVersion, reason, code, message, details } = body as unknown as Record<string, unknown>;
  return { status, kind, apiVersion, reason, code, message, details };
};

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

type Json = Record<string, unknown>;
type Metadata = { name?: string; resourceVersion?: string; annotations?: Record<string, string> };
type Event = { readonly version: number; readonly type: string; readonly path: string; readonly object: Json };

/** What the API was asked for: `list`, `watch`, or `get` of an object. */
export type Asked = { readonly verb: 'get' | 'list' | 'watch' | 'patch'; readonly path: string };

/**
 * A Kubernetes API that answers with the objects a test puts there. It keeps the rules that clients depend on: one version
 * counter, lists in pages whose continuation expires, watches that begin after a version and answer 410 Gone for one that
 * was compacted away, bookmarks, merge patches. `onPatch` is called after each, with the object as it is then.
 */
export async function startKubeApi(onPatch: (path: string, object: Json) => void = () => {}) {
  const objects = new Map<string, Json>();
  const history: Event[] = [];
  const watches = new Set<Watch>();
  const asked: Asked[] = [];
  let version = 100;
  let compacted = 0;
  let down = false;

  const publish = (type: string, path: string, object: Json) => {
    const event = { version: ++version, type, path, object: versioned(object, version) };
    history.push(event);
    for (const watch of watches) watch.tell(event);
    return event.object;
  };
  const put = (path: string, object: Json) => {
    const type = objects.has(path) ? 'MODIFIED' : 'ADDED';
    objects.set(path, publish(type, path, structuredClone(object)));
  };
  const remove = (path: string) => {
    const object = objects.get(path);
    if (object !== undefined && objects.delete(path)) publish('DELETED', path, object);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://cluster');
    const body = await text(request);
    if (down) return void request.socket.destroy();
    const found = objects.get(pathname);
    if (request.method === 'PATCH' && found !== undefined) {
      asked.push({ verb: 'patch', path: pathname });
      put(pathname, merged(found, JSON.parse(body)) as Json);
      const patched = objects.get(pathname) as Json;
      onPatch(pathname, patched);
      return reply(response, 200, patched);
    }
    const isCollection = found === undefined && COLLECTION.test(pathname);
    if (isCollection && query.get('watch') === 'true') return watchFrom(pathname, query, response);
    asked.push({ verb: isCollection ? 'list' : 'get', path: pathname });
    if (isCollection) return list(pathname, query, response);
    return found === undefined ? reply(response, 404, status(404, 'NotFound')) : reply(response, 200, found);
  };

  const list = (path: string, query: URLSearchParams, response: ServerResponse) => {
    const [at = String(version), from = '0'] = (query.get('continue') ?? '').split('/').filter((part) => part !== '');
    if (Number(at) < compacted) return reply(response, 410, status(410, 'Expired'));
    const all = [...objects].filter(([key]) => key.startsWith(`${path}/`)).map(([, object]) => object);
    const end = Number(from) + (Number(query.get('limit')) || all.length);
    const more = end < all.length ? { continue: `${at}/${end}` } : {};
    reply(response, 200, { metadata: { resourceVersion: at, ...more }, items: all.slice(Number(from), end) });
  };
  const watchFrom = (path: string, query: URLSearchParams, response: ServerResponse) => {
    asked.push({ verb: 'watch', path });
    const since = Number(query.get('resourceVersion') ?? version);
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    const send = (type: string, object: unknown) => void response.write(`${JSON.stringify({ type, object })}\n`);
    if (since < compacted) {
      send('ERROR', status(410, 'Expired'));
      response.end();
      return;
    }
    const tell = (event: Event) => {
      if (event.path.startsWith(`${path}/`)) send(event.type, event.object);
    };
    const watch = { tell, send, cut: () => response.destroy() };
    for (const event of history) if (event.version > since) tell(event);
    watches.add(watch);
    response.once('close', () => watches.delete(watch));
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url,
    asked,
    put,
    remove,
    read: (path: string): Json | undefined => objects.get(path),
    watchers: () => watches.size,
    /** Every open watch loses its connection. */
    cutWatches: () => {
      for (const { cut } of watches) cut();
    },
    /** Forgets what happened so far, as etcd's compaction does: a watch from before is Gone. */
    compact: () => {
      compacted = ++version;
      history.length = 0;
    },
    bookmark: () => {
      const metadata = { resourceVersion: String(++version) };
      for (const { send } of watches) send('BOOKMARK', { metadata });
    },
    /** While it is down, connections are closed without an answer. */
    setDown: (value: boolean) => {
      down = value;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type KubeApi = Awaited<ReturnType<typeof startKubeApi>>;

type Watch = {
  readonly tell: (event: Event) => void;
  readonly send: (type: string, object: unknown) => void;
  readonly cut: () => void;
};

/** Paths that end in a plural without a name. */
const COLLECTION = /\/(applications|appprojects|deployments|pods|jobs)$/;

const versioned = (object: Json, version: number): Json => ({
  ...object,
  metadata: { ...(object['metadata'] as Metadata | undefined), resourceVersion: String(version) },
});

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Json = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function reply(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const status = (code: number, reason: string): Json => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason,
  code,
});

/** A kubeconfig for a server without TLS. */
export function writeKubeconfig(file: string, server: string): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token: 'cluster-token' } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  };
  writeFileSync(file, JSON.stringify(config));
}

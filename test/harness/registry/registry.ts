import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Auth, type AuthOptions, authOf } from './auth.ts';
import { type Answer, route } from './routes.ts';
import { emptyState, repositoryOf, type State } from './state.ts';

export type RegistryOptions = {
  readonly auth?: AuthOptions;
  /** Knows the referrers API of 1.1. */
  readonly referrers?: boolean;
  readonly mounts?: boolean;
  /** Shortest piece of an upload that is not the last. */
  readonly minChunk?: number;
  /** Gives addresses of uploads whole instead of as a path. */
  readonly absoluteLocations?: boolean;
};

export type Seen = { readonly method: string; readonly path: string; readonly query: string };
/** What becomes of a request instead of what should: the connection ends after so many bytes of its body, or another answer. */
export type Fate =
  | { readonly cut: number }
  | { readonly status: number; readonly type?: string; readonly body?: string };

export type TestRegistry = {
  /** `127.0.0.1:<port>`, as image names begin. */
  readonly host: string;
  readonly state: State;
  readonly auth: Auth;
  readonly seen: Seen[];
  fate: (request: Seen) => Fate | undefined;
  /** Bytes of blobs that came in and went out. */
  readonly moved: { in: number; out: number };
  tags(repository: string): string[];
  stop(): Promise<void>;
};

export type Call = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** False when the connection ended within the body. */
  readonly isWhole: boolean;
};

/** A registry of our own that keeps the rules of the OCI distribution specification 1.1; hand-made, in memory, on loopback. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const state = emptyState();
  const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const auth = authOf(options.auth, () => `http://${host}`);
  const self: TestRegistry = {
    host,
    state,
    auth,
    seen: [],
    fate: () => undefined,
    moved: { in: 0, out: 0 },
    tags: (repository) => [...repositoryOf(state, repository).tags.keys()].sort(),
    stop: () => stop(server),
  };
  const world = { state, auth, options, origin: `http://${host}`, moved: self.moved };
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams, search } = new URL(request.url ?? '/', `http://${host}`);
    const seen = { method: request.method ?? '', path: pathname, query: search };
    self.seen.push(seen);
    const fate = self.fate(seen);
    const body = await taken(request, fate !== undefined && 'cut' in fate ? fate.cut : Number.POSITIVE_INFINITY);
    const isWhole = fate === undefined || !('cut' in fate);
    const call = { method: seen.method, path: pathname, query: searchParams, headers: request.headers, body, isWhole };
    if (fate !== undefined && 'status' in fate) return send(response, seen.method, replaced(fate));
    const answer = route(world, call);
    if (isWhole) send(response, seen.method, answer);
    else request.socket.destroy();
  };
  return self;
}

const replaced = ({ status, type = 'application/json', body = '{}' }: Extract<Fate, { status: number }>): Answer => ({
  status,
  headers: { 'content-type': type },
  body: Buffer.from(body),
});

/** At most so many bytes of the body; what comes after them never arrives. */
async function taken(request: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, most - size));
    size += chunk.length;
    if (size >= most) break;
  }
  return Buffer.concat(chunks);
}

function send(
  response: ServerResponse,
  method: string,
  { status, headers = {}, body = Buffer.alloc(0) }: Answer,
): void {
  response.writeHead(status, { ...headers, 'content-length': String(body.length) });
  response.end(method === 'HEAD' ? undefined : body);
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

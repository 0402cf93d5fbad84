import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { freePort } from '../ports.ts';
import { noRoute, type Reply, sasError } from './dialect.ts';
import { answerLogon, type FakeLogon, fakeLogon } from './logon.ts';
import { MANAGEMENT_ROUTES } from './management.ts';
import { REPOSITORY_ROUTES } from './repository.ts';
import type { Ask, FakeSas } from './route.ts';
import { type Dialect, fakeState } from './state.ts';

export type FakeSasServer = FakeSas & {
  readonly url: string;
  readonly logon: FakeLogon;
  /** Calls of the API, in order. */
  readonly seen: Array<{
    readonly method: string;
    readonly url: string;
    readonly status: number;
    readonly cookie: boolean;
  }>;
  /** Unreachable, and reachable again at the same address. */
  readonly down: () => Promise<void>;
  readonly up: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** SAS Viya as far as the writer asks it, in one of two dialects. HAND-MADE: see state.ts. */
export async function startFakeSas(dialect: Dialect, tls?: Tls): Promise<FakeSasServer> {
  const sas: FakeSas = {
    dialect,
    state: fakeState(),
    pageSize: 20,
    ignoresFilters: false,
    forbidden: undefined,
    faults: [],
    meanwhile: undefined,
  };
  const logon = fakeLogon();
  const seen: FakeSasServer['seen'] = [];
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    void serve(sas, logon, seen, request, response).catch((error: Error) => response.writeHead(500).end(error.stack));
  };
  // Not one of the ephemeral range, which somebody's outgoing connection could take while the server is down.
  const port = await freePort();
  let server = await listen(handle, port, tls);
  const down = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const up = async () => {
    server = await listen(handle, port, tls);
  };
  return Object.assign(sas, {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    logon,
    seen,
    down,
    up,
    stop: down,
  });
}

/** PEM. */
export type Tls = { readonly key: string; readonly certificate: string };
type Handle = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(handle: Handle, port: number, tls: Tls | undefined): Promise<Server> {
  const server =
    tls === undefined ? createServer(handle) : createSecureServer({ key: tls.key, cert: tls.certificate }, handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

async function serve(
  sas: FakeSas,
  logon: FakeLogon,
  seen: FakeSasServer['seen'],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://fake');
  const ask = await askOf(request, url);
  const isLogon = url.pathname.startsWith('/SASLogon/');
  if (!isLogon) sas.meanwhile?.(ask);
  const fault = sas.faults.find(({ on }) => on.test(url.pathname));
  if (fault !== undefined) sas.faults.splice(sas.faults.indexOf(fault), 1);
  const reply = fault?.reply ?? (isLogon ? answerLogon(logon, ask, url.href) : replyTo(sas, logon, ask));
  const { method, path } = ask;
  if (!isLogon)
    seen.push({ method, url: path + url.search, status: reply.status, cookie: request.headers.cookie !== undefined });
  send(sas, response, reply, fault?.cutAt);
}

function replyTo(sas: FakeSas, logon: FakeLogon, ask: Ask): Reply {
  const { dialect } = sas;
  const token = (ask.headers.authorization ?? '').replace(/^Bearer /, '');
  if (!logon.good.has(token)) {
    return {
      status: 401,
      headers: {
        'WWW-Authenticate':
          'Bearer realm="oauth", error="invalid_token", error_description="Access token expired: [redacted]"',
      },
      json: { error: 'invalid_token' },
    };
  }
  if (sas.forbidden?.test(ask.path)) return sasError(dialect, 403, 1_177, 'Forbidden', ask.path);
  for (const { method, path, answer } of [...REPOSITORY_ROUTES, ...MANAGEMENT_ROUTES]) {
    const caught = method === ask.method ? path.exec(ask.path) : null;
    if (caught !== null) return answer(sas, { ...ask, params: caught.slice(1).map(decodeURIComponent) });
  }
  return noRoute(dialect, ask.path);
}

async function askOf(request: IncomingMessage, url: URL): Promise<Ask> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const isJson = request.headers['content-type']?.includes('json') === true;
  return {
    method: request.method ?? '',
    path: url.pathname,
    params: [],
    query: url.searchParams,
    headers: request.headers,
    body: isJson ? (JSON.parse(text) as unknown) : undefined,
    text,
  };
}

function send({ dialect }: FakeSas, response: ServerResponse, reply: Reply, cutAt: number | undefined): void {
  const { status, headers, json, raw } = reply;
  const body = raw ?? (json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json)));
  // The reason phrase is empty on 3.5; the ingress wants its sticky cookie back, and does without.
  response.writeHead(status, dialect === '3.5' ? '' : undefined, {
    'Content-Type': 'application/json',
    ...headers,
    'Set-Cookie': 'sas-ingress-nginx=1; Path=/',
    ...(status === 204 ? {} : { 'Content-Length': String(body.length) }),
  });
  if (cutAt === undefined) return void response.end(body);
  response.write(body.subarray(0, Math.floor(body.length * cutAt)), () => response.destroy());
}

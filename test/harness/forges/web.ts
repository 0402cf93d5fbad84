import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';

export type FakeRequest = {
  readonly method: string;
  /** Below the prefix of the API. */
  readonly path: string;
  /** What the route's pattern caught, decoded. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
  /** Login of who asks. */
  readonly user: string;
};
export type FakeReply = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};
/** `open`: answers without a token of a user too. */
export type FakeRoute = {
  readonly method: string;
  readonly path: RegExp;
  readonly open?: true;
  answer(request: FakeRequest): FakeReply | Promise<FakeReply>;
};

/** What differs between the servers in how they speak HTTP. */
export type FakeManners = {
  readonly prefix: string;
  /** The server's idea of the time. */
  now(): number;
  userOf(headers: IncomingHttpHeaders): string | undefined;
  readonly unauthorized: FakeReply;
  readonly unknown: FakeReply;
  /** Headers that every answer carries while there is a quota. */
  quotaHeaders(quota: Quota): Readonly<Record<string, string>>;
  /** The refusal once the quota is used up, or too much was written. */
  exhausted(quota: Quota): FakeReply;
  tooManyWrites(retryAfterS: number): FakeReply;
};

/** Calls left until the reset, in seconds since the epoch; an answer of 304 costs none. */
export type Quota = { remaining: number; resetAt: number };

export type FakeServer = {
  readonly url: string;
  /** What was asked and answered, in order. */
  readonly seen: Array<{ readonly method: string; readonly path: string; readonly status: number }>;
  readonly quota: Quota;
  /** Writes left before the secondary limit refuses them; endless unless a test sets it. */
  writes: { left: number; retryAfterS: number };
  /** Answers of the next calls instead of the real ones; `reset` cuts the connection. */
  readonly failures: Array<FakeReply | 'reset'>;
  readonly stop: () => Promise<void>;
};

/** An HTTP API with ETags, quotas and one request at a time, as if behind one database lock. */
export async function startFakeServer(manners: FakeManners, routes: () => readonly FakeRoute[]): Promise<FakeServer> {
  const seen: FakeServer['seen'] = [];
  const failures: FakeServer['failures'] = [];
  const quota = { remaining: Number.POSITIVE_INFINITY, resetAt: 0 };
  const fake = { seen, failures, quota, writes: { left: Number.POSITIVE_INFINITY, retryAfterS: 60 } };
  let turn: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    turn = turn
      .then(() => serve(fake, manners, routes(), request, response))
      .catch((error: Error) => response.writeHead(500).end(JSON.stringify({ message: error.stack })));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return Object.assign(fake, { url: `http://127.0.0.1:${port}`, stop });
}

type Fake = Pick<FakeServer, 'seen' | 'failures' | 'quota' | 'writes'>;

async function serve(
  fake: Fake,
  manners: FakeManners,
  routes: readonly FakeRoute[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const text = await textOf(request);
  const failure = fake.failures.shift();
  if (failure === 'reset') return void request.socket.destroy();
  const reply = failure ?? (await replyTo(fake, manners, routes, request, text));
  const { status, etag, sent } = conditional(request, reply);
  if (status !== 304 && Number.isFinite(fake.quota.remaining) && fake.quota.remaining > 0) fake.quota.remaining -= 1;
  const headers = {
    date: new Date(manners.now()).toUTCString(),
    ...reply.headers,
    ...(Number.isFinite(fake.quota.remaining) ? manners.quotaHeaders(fake.quota) : {}),
    ...(etag === undefined ? {} : { etag }),
  };
  fake.seen.push({ method: request.method ?? '', path: (request.url ?? '').slice(manners.prefix.length), status });
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(sent);
}

function conditional(request: IncomingMessage, { status, body }: FakeReply) {
  const sent = body === undefined ? '' : JSON.stringify(body);
  if (request.method !== 'GET' || status !== 200) return { status, etag: undefined, sent };
  const etag = `W/"${createHash('sha256').update(sent).digest('hex').slice(0, 40)}"`;
  return request.headers['if-none-match'] === etag ? { status: 304, etag, sent: '' } : { status, etag, sent };
}

async function replyTo(
  fake: Fake,
  manners: FakeManners,
  routes: readonly FakeRoute[],
  request: IncomingMessage,
  text: string,
): Promise<FakeReply> {
  const { method = '', headers } = request;
  const url = new URL(request.url ?? '/', 'http://fake');
  const path = url.pathname.startsWith(manners.prefix)
    ? url.pathname.slice(manners.prefix.length)
    : `//${url.pathname}`;
  const route = routes.find((one) => one.method === method && one.path.test(path));
  const user = manners.userOf(headers);
  if (user === undefined && route?.open !== true) return manners.unauthorized;
  if (fake.quota.remaining <= 0) return manners.exhausted(fake.quota);
  if (method !== 'GET' && fake.writes.left <= 0) return manners.tooManyWrites(fake.writes.retryAfterS);
  if (route === undefined) return manners.unknown;
  if (method !== 'GET') fake.writes.left -= 1;
  const [, ...caught] = route.path.exec(path) ?? [];
  const params = caught.map((one) => decodeURIComponent(one ?? ''));
  const body = (text === '' ? {} : JSON.parse(text)) as Readonly<Record<string, unknown>>;
  return route.answer({ method, path, params, query: url.searchParams, body, headers, user: user ?? '' });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export type Page<T> = {
  readonly items: readonly T[];
  readonly page: number;
  readonly size: number;
  readonly more: boolean;
};

/** One page of a list; a server shows at most `cap` items, whatever is asked for. */
export function pageOf<T>(query: URLSearchParams, all: readonly T[], standard: number, cap: number): Page<T> {
  const size = Math.min(cap, Math.max(1, Number(query.get('per_page')) || standard));
  const page = Math.max(1, Number(query.get('page')) || 1);
  return { items: all.slice((page - 1) * size, page * size), page, size, more: all.length > page * size };
}

/** The Link header of a page, with the whole query kept. */
export function linkOf(base: string, request: FakeRequest, { page, more }: Page<unknown>): Record<string, string> {
  const to = (number: number, rel: string) => {
    const query = new URLSearchParams(request.query);
    query.set('page', String(number));
    return `<${base}${request.path}?${query.toString()}>; rel="${rel}"`;
  };
  const links = [...(page > 1 ? [to(page - 1, 'prev')] : []), ...(more ? [to(page + 1, 'next')] : [])];
  return links.length === 0 ? {} : { link: links.join(', ') };
}

export function textIn(body: FakeRequest['body'], name: string): string | undefined {
  const value = body[name];
  return typeof value === 'string' ? value : undefined;
}
export function listIn(body: FakeRequest['body'], name: string): readonly unknown[] {
  const value = body[name];
  return Array.isArray(value) ? value : [];
}

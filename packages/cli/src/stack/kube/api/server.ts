import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Admin, answerAdmin, type Logger } from '@fairway/core';
import type { KubeObject } from '../objects.ts';
import { refusal, statusOf } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import { discover } from './discovery.ts';
import { answerResource, type ApiAnswer, parseJson, selectorOf } from './resources.ts';
import { parseTarget, type Target } from './target.ts';
import { serveWatch } from './watch.ts';

export type ApiParts = {
  readonly registry: Registry;
  readonly admin: Admin;
  readonly token: string;
  /** Writes the log of a container, or refuses. */
  serveLog(target: Target, query: URLSearchParams, response: ServerResponse): Promise<void>;
  /** A forge says that a repository moved; the body is its JSON. */
  webhook(body: unknown): void;
  /** Read-only extras of the embedded stack by path. */
  readonly reports: Readonly<Record<string, () => object>>;
  readonly log: Logger;
};

const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** Handles one HTTP request: admin endpoints and the webhook without token, everything else with it. */
export function apiHandler(parts: ApiParts): (request: IncomingMessage, response: ServerResponse) => void {
  const expected = digest(parts.token);
  return (request, response) => {
    if (answerAdmin(parts.admin, request, response)) return;
    response.on('error', () => {});
    answer(parts, expected, request, response).catch((error: unknown) => {
      const status = statusOf(error);
      if (status.code >= 500)
        parts.log.error({ path: request.url?.split('?')[0], reason: (error as Error).message }, 'request failed');
      if (response.headersSent) response.destroy();
      else send(response, { code: status.code, body: status });
    });
  };
}

async function answer(
  parts: ApiParts,
  expected: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = parseUrl(request.url ?? '/');
  const method = request.method ?? 'GET';
  if (method === 'POST' && url.pathname === '/api/webhook') {
    parts.webhook(parseJson(await readWhole(request)));
    return send(response, { code: 200, body: {} });
  }
  if (url.pathname === '/livez') return void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
  if (!authorized(request, expected)) throw refusal('Unauthorized', 'Unauthorized');
  const report = parts.reports[url.pathname];
  const found = method === 'GET' ? (report?.() ?? discover(url.pathname, request.headers.host ?? '')) : undefined;
  if (found) return send(response, { code: 200, body: found });
  const target = parseTarget(url.pathname);
  if (!target) throw refusal('NotFound', 'the server could not find the requested resource');
  if (target.subresource === 'log') return parts.serveLog(target, url.searchParams, response);
  if (method === 'GET' && isWatch(url.searchParams)) return watch(parts, target, url.searchParams, response);
  const contentType = (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? '';
  const body = method === 'GET' ? Buffer.alloc(0) : await readWhole(request);
  send(response, answerResource(parts.registry, { method, target, query: url.searchParams, contentType, body }));
}

function parseUrl(path: string): URL {
  try {
    decodeURIComponent(path);
    return new URL(`http://kube${path}`);
  } catch {
    throw refusal('BadRequest', 'the path of the request cannot be read');
  }
}

const isWatch = (query: URLSearchParams) => ['true', '1'].includes(query.get('watch') ?? '');

/** A watch of one name is a watch of the collection with a field selector. */
function watch({ registry }: ApiParts, target: Target, query: URLSearchParams, response: ServerResponse): void {
  const selected = selectorOf(query);
  const { name } = target;
  const matches = (object: KubeObject) => (name === undefined || object.metadata.name === name) && selected(object);
  serveWatch(registry, target, matches, query, response);
}

const digest = (text: string) => createHash('sha256').update(text).digest();

function authorized(request: IncomingMessage, expected: Buffer): boolean {
  const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
  return scheme?.toLowerCase() === 'bearer' && timingSafeEqual(digest(token), expected);
}

async function readWhole(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw refusal('RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY_BYTES}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, { code, body }: ApiAnswer): void {
  const text = JSON.stringify(body);
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Admin, answerAdmin, type Logger } from '@fairway/core';
import type { Chain } from '../admission/chain.ts';
import { admittedWriter } from '../admission/writer.ts';
import { DEFINITION, definedKinds, type Kind, KINDS } from '../kinds.ts';
import type { KubeObject } from '../objects.ts';
import { refusal, statusOf } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import { attributesOf, authorize } from './authorize.ts';
import { discover } from './discovery.ts';
import { answerResource, type ApiAnswer, parseJson, partial, selectorOf } from './resources.ts';
import { answerReview } from './reviews.ts';
import { parseTarget, type Target } from './target.ts';
import { type Users } from './users.ts';
import { serveWatch } from './watch.ts';

export type ApiParts = {
  readonly registry: Registry;
  readonly admin: Admin;
  readonly users: Users;
  readonly chain: Chain;
  /** Groups that are not served: a cluster without what brings them. */
  readonly lacks: readonly string[];
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
  return (request, response) => {
    if (answerAdmin(parts.admin, request, response)) return;
    response.on('error', () => {});
    answer(parts, request, response).catch((error: unknown) => {
      const status = statusOf(error);
      if (status.code >= 500)
        parts.log.error({ path: request.url?.split('?')[0], reason: (error as Error).message }, 'request failed');
      if (response.headersSent) response.destroy();
      else send(response, { code: status.code, body: status });
    });
  };
}

/** What is served now: our own kinds, and those of CustomResourceDefinitions. */
const served = ({ registry, lacks }: ApiParts): Kind[] =>
  [...KINDS, ...definedKinds(registry.list(DEFINITION))].filter(({ group }) => !lacks.includes(group));

async function answer(parts: ApiParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = parseUrl(request.url ?? '/');
  const method = request.method ?? 'GET';
  if (method === 'POST' && url.pathname === '/api/webhook') {
    parts.webhook(parseJson(await readWhole(request)));
    return send(response, { code: 200, body: {} });
  }
  if (url.pathname === '/livez') return void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
  const user = parts.users.of(tokenOf(request));
  const kinds = served(parts);
  const report = parts.reports[url.pathname];
  const found =
    method === 'GET' ? (report?.() ?? discover(kinds, url.pathname, request.headers.host ?? '')) : undefined;
  if (found) return send(response, { code: 200, body: found });
  const body = method === 'GET' ? Buffer.alloc(0) : await readWhole(request);
  const review = method === 'POST' ? answerReview(parts.registry, user, url.pathname, body) : undefined;
  if (review) return send(response, review);
  const target = parseTarget(kinds, url.pathname);
  if (!target) return void response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
  const watching = method === 'GET' && isWatch(url.searchParams);
  authorize(parts.registry, user, attributesOf(method, target, watching));
  if (target.subresource === 'log') return parts.serveLog(target, url.searchParams, response);
  if (watching) return watch(parts, target, url.searchParams, response);
  const contentType = (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? '';
  const call = { method, target, query: url.searchParams, contentType, body, agent: agentOf(request) };
  const warnings: string[] = [];
  const asker = { user, warn: (text: string) => void warnings.push(text) };
  const objects = { registry: parts.registry, writer: admittedWriter(parts.registry, parts.chain, asker) };
  const answered = target.subresource === 'token' ? parts.users.token(call) : await answerResource(objects, call);
  if (warnings.length > 0) response.setHeader('warning', warnings.map(asWarning));
  send(response, isPartial(request) ? partial(answered) : answered);
}

/** RFC 7234's `warn-code agent "text"`, in the one form that Kubernetes sends. */
const asWarning = (text: string): string =>
  `299 - ${JSON.stringify(text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 256))}`;

const tokenOf = (request: IncomingMessage): string => {
  const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
  return scheme?.toLowerCase() === 'bearer' ? token : '';
};

/** The name by which a client that gives no `fieldManager` owns what it writes: the first word of its user agent. */
const agentOf = (request: IncomingMessage): string =>
  (request.headers['user-agent'] ?? '').split('/')[0]?.slice(0, 128) || 'unknown';

/** Metadata alone is asked for: of a Secret, that it is there, and never what it holds. */
const isPartial = (request: IncomingMessage): boolean =>
  /\bas=PartialObjectMetadata(List)?\b/.test(request.headers.accept ?? '');

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
  const selected = selectorOf(target.kind, query);
  const { name } = target;
  const matches = (object: KubeObject) => (name === undefined || object.metadata.name === name) && selected(object);
  serveWatch(registry, target, matches, query, response);
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

import { FairwayError } from '@fairway/core';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Html } from './html.ts';
import type { Reply } from './router.ts';

/** Sentence + HTTP status; every refusal of an embedded server is thrown as this. */
export function refuse(status: number, message: string): never {
  throw new FairwayError('input.invalid', message, { detail: { status } });
}

/** The status of a refusal made by {@link refuse}; undefined for every other error. */
export function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof FairwayError)) return undefined;
  const status = thrown.detail['status'];
  return typeof status === 'number' ? status : undefined;
}

export const json = (status: number, value: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(value),
});

/** A page that may load nothing but its own inline style and data images, and may be framed by nobody. */
export const page = (status: number, content: Html): Reply => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
  },
  body: `<!doctype html>\n${content.html}`,
});

/** The whole body, at most `limit` bytes; 413 beyond. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) refuse(413, `The request body is larger than ${limit} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function writeReply(response: ServerResponse, reply: Reply): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = reply.body ?? '';
  response
    .writeHead(reply.status, { 'content-length': Buffer.byteLength(body), ...reply.headers })
    .end(response.req.method === 'HEAD' ? undefined : body);
}

/** Listens; `port.taken` with a sentence when the port is in use. Port 0 takes a free one. Answers the port. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} on ${host} is already in use: stop the other program or choose another PORT.`;
      reject(error.code === 'EADDRINUSE' ? new FairwayError('port.taken', taken, { cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Stops accepting, gives running requests `graceMs`, then cuts them off. */
export async function close(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}

/** An HTTP server whose handler's failures end the one request, never the process. */
export function httpServer(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  failed: (error: unknown, request: IncomingMessage) => Reply,
): Server {
  return createServer((request, response) => {
    response.on('error', () => {});
    // Inside a promise from its first line on: a handler may also throw before it is one.
    Promise.resolve()
      .then(() => handle(request, response))
      .catch((error: unknown) => writeReply(response, failed(error, request)));
  });
}

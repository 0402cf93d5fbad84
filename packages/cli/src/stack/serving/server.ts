import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Logger, Part } from '@fairway/core';
import { close, httpServer, json, listen, readBody, statusOf, writeReply } from '../web/http.ts';
import type { ApiAnswer } from './api.ts';
import { answer } from './api.ts';
import type { Servable } from './servable.ts';
import { loadLatest } from './servable.ts';

export type ServingOptions = {
  readonly model: string;
  readonly basePath: string;
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
};

const MAX_BODY = 100 * 1024 * 1024;
/** libevent closes idle connections after about 50 s. */
const IDLE_MS = 50_000;
const NOT_FOUND = '<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n';

/** The embedded TensorFlow Serving: loads the model first, then opens its REST port, as the real one does. */
export function servingServer(options: ServingOptions): Part & { readonly port: number } {
  const { model, basePath, host, port, log } = options;
  let servable: Servable | undefined;
  let bound = port;
  const server = httpServer(
    async (request, response) => {
      const target = request.url ?? '';
      if (!/^\/v1\//i.test(target)) {
        return writeReply(response, { status: 404, headers: { 'content-type': 'text/html' }, body: NOT_FOUND });
      }
      const body = await readBody(request, MAX_BODY);
      writeReply(
        response,
        reply(answer(servable as Servable, request.method ?? '', target, () => textOf(request, body))),
      );
    },
    (error) => json(statusOf(error) ?? 500, { error: (error as Error).message }),
  );
  server.keepAliveTimeout = IDLE_MS;
  return {
    name: 'serving',
    get port() {
      return bound;
    },
    start: async () => {
      servable = await loadLatest(basePath, model);
      const { version, state } = servable;
      if (servable.state === 'END') log.error({ model, version, reason: servable.error }, 'version cannot be served');
      bound = await listen(server, host, port);
      log.info({ model, version, state, host, port: bound }, 'serving');
    },
    stop: () => close(server, 5_000),
  };
}

const reply = ({ status, body }: ApiAnswer) => ({ status, headers: { 'content-type': 'application/json' }, body });

/** The body as text, inflated when it is gzip; a bad stream is an empty body, as in TensorFlow Serving. */
function textOf(request: IncomingMessage, body: Buffer): string {
  if (request.headers['content-encoding']?.includes('gzip') !== true) return body.toString('utf8');
  try {
    return gunzipSync(body, { maxOutputLength: MAX_BODY }).toString('utf8');
  } catch {
    return '';
  }
}

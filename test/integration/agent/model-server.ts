import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export type ModelServer = {
  readonly port: number;
  versions: string[];
  /** Versions by label. */
  readonly labels: Map<string, string>;
  stop(): Promise<void>;
};

/**
 * A node:http server with TF Serving's routes. What it does with a prediction is told by the caller's `x-do` header,
 * see BEHAVIOURS below.
 */
export async function startModelServer(port = 0): Promise<ModelServer> {
  const server = createServer((request, response) => void answer(model, request, response));
  server.keepAliveTimeout = 60_000;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const model: ModelServer = {
    port: (server.address() as AddressInfo).port,
    versions: ['1'],
    labels: new Map(),
    stop: () => stop(server),
  };
  return model;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

type Behaviour = (response: ServerResponse, predictions: Buffer, body: Buffer) => void;

const plainly: Behaviour = (response, predictions) => {
  response.writeHead(200, { 'content-length': predictions.length }).end(predictions);
};

const BEHAVIOURS: Record<string, Behaviour> = {
  chunked: (response, predictions) => {
    response.write(predictions.subarray(0, 5));
    response.end(predictions.subarray(5));
  },
  'until-close': (response, predictions) => {
    response.useChunkedEncodingByDefault = false;
    response.setHeader('connection', 'close');
    response.end(predictions);
  },
  hang: () => {},
  break: (response, predictions) => {
    response.writeHead(200, { 'content-length': predictions.length });
    response.write(predictions.subarray(0, 5));
    setImmediate(() => response.socket?.destroy());
  },
  echo: (response, _, body) => {
    response.writeHead(200, { 'content-length': body.length }).end(body);
  },
  refuse: (response) => {
    response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"no"}');
  },
};

async function answer(model: ModelServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.sendDate = false;
  const pieces: Buffer[] = [];
  try {
    for await (const piece of request) pieces.push(piece as Buffer);
  } catch {
    return;
  }
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'application/json');
    const label = /\/labels\/([^/]+)\/metadata$/.exec(request.url ?? '')?.[1];
    if (label !== undefined) return resolve(model.labels.get(label), response);
    response.end(JSON.stringify({ model_version_status: model.versions.map(available) }));
    return;
  }
  const body = Buffer.concat(pieces);
  const predictions = Buffer.from(JSON.stringify({ predictions: [[0.25, 0.75]], length: body.length }));
  (BEHAVIOURS[String(request.headers['x-do'])] ?? plainly)(response, predictions, body);
}

function resolve(version: string | undefined, response: ServerResponse): void {
  if (version === undefined) response.writeHead(400).end('{"error":"Unrecognized servable version label"}');
  else response.end(JSON.stringify({ model_spec: { name: 'home-equity', signature_name: '', version }, metadata: {} }));
}

function available(version: string): object {
  return { version, state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } };
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

/**
 * What becomes of a request: passed on; answered with a status (and a place to go to); never answered; cut off before the
 * server sees it, when it has seen half of it, or after the server has done it; held until `release` is called.
 */
export type Fate =
  | { readonly kind: 'pass' | 'hang' | 'cut' | 'cut-half' | 'cut-answer' | 'hold' }
  | { readonly kind: 'status'; readonly status: number; readonly location?: string };

export type Seen = { readonly method: string; readonly url: string; readonly authorization: string | undefined };

export type HostileProxy = {
  readonly url: string;
  readonly seen: readonly Seen[];
  fate: (request: Seen, bytes: number) => Fate;
  /** Lets held requests go on. */
  release(): void;
  stop(): Promise<void>;
};

export const PASS: Fate = { kind: 'pass' };

/** Stands between a Git client and a server, and does to requests what networks and servers do on a bad day. */
export async function startHostileProxy(target: string): Promise<HostileProxy> {
  const seen: Seen[] = [];
  let held: Array<() => void> = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const one = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      authorization: incoming.headers.authorization,
    };
    seen.push(one);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const fate = self.fate(one, body.length);
    if (fate.kind === 'hang') return;
    if (fate.kind === 'cut-half') await forwardHalf(target, incoming, body);
    if (fate.kind === 'cut' || fate.kind === 'cut-half') {
      incoming.socket.destroy();
      return;
    }
    if (fate.kind === 'status') {
      response.writeHead(fate.status, fate.location === undefined ? {} : { location: fate.location }).end();
      return;
    }
    if (fate.kind === 'hold') await new Promise<void>((resolve) => held.push(resolve));
    const answer = await forward(target, incoming, body);
    if (fate.kind === 'cut-answer') incoming.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  // A client that went away is what some tests are about.
  const server = createServer((incoming, response) => void handle(incoming, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const self: HostileProxy = {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    seen,
    fate: () => PASS,
    release: () => {
      const all = held;
      held = [];
      for (const go of all) go();
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return self;
}

function callOf(target: string, incoming: IncomingMessage, body: Buffer) {
  const headers = { ...incoming.headers, host: new URL(target).host, 'content-length': String(body.length) };
  delete (headers as Record<string, unknown>)['transfer-encoding'];
  return request(`${target}${incoming.url}`, { method: incoming.method, headers });
}

/** The server gets half of what it was told to expect, and time to read it, before its connection breaks. */
async function forwardHalf(target: string, incoming: IncomingMessage, body: Buffer): Promise<void> {
  const call = callOf(target, incoming, body);
  // Cut off by ourselves.
  call.on('error', () => {});
  await new Promise((resolve) => call.write(body.subarray(0, Math.floor(body.length / 2)), resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  call.destroy();
}

async function forward(target: string, incoming: IncomingMessage, body: Buffer) {
  const call = callOf(target, incoming, body);
  call.end(body);
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const { 'transfer-encoding': _, ...rest } = answer.headers;
  return { status: answer.statusCode ?? 502, headers: rest, body: Buffer.concat(chunks) };
}

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { freePort } from '../ports.ts';

export type Reply = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Bytes after which the connection is cut, though all of them were promised. */
  readonly cutAfter?: number;
};
export type Asked = {
  readonly method: string;
  readonly url: URL;
  /** The path as it was sent, still encoded. */
  readonly rawPath: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
};
export type FakeServer = {
  readonly url: string;
  /** Method and path of what was asked, in order. */
  readonly seen: string[];
  /** Answers instead of the real one where it gives a reply; changes the real one where it takes it. */
  interfere: ((asked: Asked, real: () => Promise<Reply>) => Promise<Reply> | Reply | undefined) | undefined;
  /** Stops listening, and listens again at the same port. */
  readonly down: () => Promise<void>;
  readonly up: () => Promise<void>;
};

export const json = (status: number, value: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

/** An HTTP server on the loopback that tests can take down and lead astray. */
export async function startServer(answer: (asked: Asked) => Promise<Reply> | Reply): Promise<FakeServer> {
  const server = createServer((request, response) => {
    void serve(request, response).catch((error: Error) => response.writeHead(500).end(String(error.stack)));
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  // Not one of the ephemeral range, which somebody's outgoing connection could take while the server is down.
  const port = await freePort();
  await listen(port);
  const fake: FakeServer = {
    url: `http://127.0.0.1:${port}`,
    seen: [],
    interfere: undefined,
    down: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    up: () => listen(port),
  };
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers, url: target = '/' } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const asked: Asked = { method, headers, text, url: new URL(target, fake.url), rawPath: target.split('?')[0] ?? '' };
    fake.seen.push(`${method} ${asked.url.pathname}`);
    const real = () => Promise.resolve(answer(asked));
    send(response, (await fake.interfere?.(asked, real)) ?? (await real()));
  }
  return fake;
}

function send(response: ServerResponse, { status, headers, body = '', cutAfter }: Reply): void {
  const bytes = Buffer.from(body);
  if (cutAfter === undefined) return void response.writeHead(status, headers).end(bytes);
  response.writeHead(status, { ...headers, 'content-length': String(bytes.length) });
  response.write(bytes.subarray(0, cutAfter), () => setImmediate(() => response.destroy()));
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';

/** Where the recorded exchanges lie, beside the checkout; they are not ours to commit. */
const FOLDER = fileURLToPath(new URL('../../../../shared/reference/fixtures/sas/', import.meta.url));
export const hasRecordings = existsSync(FOLDER);
export const NO_RECORDINGS = 'the recorded exchanges of SAS are not beside this checkout';

type Body = { readonly json?: unknown; readonly text?: string; readonly base64?: string };
type Recording = {
  readonly purpose: string;
  readonly request: { readonly method: string; readonly uri: string; readonly headers: Headers; readonly body: Body };
  readonly response: {
    readonly status: { readonly code: number; readonly message: string };
    readonly headers: Headers;
    readonly body: Body;
  };
};
type Headers = Readonly<Record<string, readonly string[]>>;

export type Replay = {
  readonly url: string;
  /** What was asked, and the file that answered; undefined: none did. */
  readonly asked: Array<{
    readonly key: string;
    readonly file: string | undefined;
    readonly ifMatch: string | undefined;
    readonly body: string;
  }>;
  readonly stop: () => Promise<void>;
};

export const recorded = (file: string): Recording =>
  JSON.parse(readFileSync(new URL(`${file}.json`, `file://${FOLDER}`), 'utf8')) as Recording;

export const recordings = (dialect: string): string[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(`.${dialect}.json`))
    .map((name) => name.slice(0, -'.json'.length));

/** Method, path and query: encodings and the space after a comma in a filter do not matter, the order of calls neither. */
function keyOf(method: string, uri: string): string {
  const url = new URL(uri, 'http://fake');
  const query = [...url.searchParams].map(([name, value]) => `${name}=${value.replaceAll(', ', ',')}`).sort();
  return `${method} ${url.pathname}?${query.join('&')}`;
}

/** Plays the recordings of these files. Lengths and codings of the recorded headers do not fit the stored bodies any more. */
export async function startReplay(files: readonly string[]): Promise<Replay> {
  const byKey = new Map(files.map((file) => [keyOf(recorded(file).request.method, recorded(file).request.uri), file]));
  const asked: Replay['asked'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      const key = keyOf(request.method ?? '', request.url ?? '/');
      const file = byKey.get(key);
      asked.push({ key, file, ifMatch: request.headers['if-match'], body });
      if (file === undefined) response.writeHead(501).end('not recorded');
      else play(recorded(file), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, asked, stop };
}

function play({ response: { status, headers, body } }: Recording, response: ServerResponse): void {
  const left = /^(content-length|transfer-encoding|connection|keep-alive|content-encoding|date)$/i;
  const kept = Object.entries(headers).filter(([name]) => !left.test(name));
  const sent = Object.fromEntries(kept.map(([name, values]) => [name, [...values]]));
  response.writeHead(status.code, status.message, sent).end(bytesOf(body));
}

function bytesOf({ json, text, base64 }: Body): Buffer {
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return Buffer.from(text ?? (json === undefined ? '' : JSON.stringify(json)));
}

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { callJson, whyNoAnswer } from './http.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

type Handler = Parameters<typeof createServer>[1];

async function serve(handler: Handler): Promise<string> {
  const server = createServer({}, handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const saysOf = (url: string, timeoutMs?: number): Promise<string> =>
  callJson('The writer', `${url}/v1/changes?token=secret`, timeoutMs === undefined ? {} : { timeoutMs }).then(
    () => 'answered',
    ({ message }: Error) => message.replace(url, 'URL'),
  );

it.each<[what: string, handler: Handler, words: string]>([
  [
    'closed before it answered',
    (request) => request.socket.end(),
    'it closed the connection before it had answered; it may be stopping or starting, so try again.',
  ],
  [
    'closed in the middle of its answer',
    (request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{', () => request.socket.destroy());
    },
    'it closed the connection before it had answered; it may be stopping or starting, so try again.',
  ],
])('says that the connection was %s', async (_what, handler, words) => {
  expect(await saysOf(await serve(handler))).toBe(`The writer at URL does not answer: ${words}`);
});

it('says that it took too long', async () => {
  const url = await serve(() => {});
  expect(await saysOf(url, 20)).toBe('The writer at URL does not answer: it took too long: it may be busy or hang.');
});

it('says that nobody listens', async () => {
  const url = await serve(() => {});
  await new Promise((resolve) => servers.pop()?.close(resolve));
  const words = 'it refused the connection: is it running?';
  expect(await saysOf(url)).toBe(`The writer at URL does not answer: ${words}`);
});

it.each([
  ['ENOTFOUND', 'no address is known for this host name: is it spelled right?'],
  ['EHOSTUNREACH', 'no way leads to this host: are network and firewall in order?'],
  ['UND_ERR_HEADERS_TIMEOUT', 'it took too long: it may be busy or hang.'],
  ['CERT_HAS_EXPIRED', 'CERT_HAS_EXPIRED.'],
])('knows %s', (code, words) => {
  expect(whyNoAnswer(new TypeError('fetch failed', { cause: { code } }))).toBe(words);
});

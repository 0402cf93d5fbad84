import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { type RemoteOptions, remote } from './remote.ts';

const closers: Array<() => void> = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function serve(answer: (request: IncomingMessage, response: ServerResponse, times: number) => void) {
  let times = 0;
  const server = createServer((request, response) => answer(request, response, (times += 1)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as { port: number }).port}`, times: () => times };
}

function of(base: string, more: Partial<RemoteOptions> = {}) {
  const server = remote({ base: `${base}/api`, name: 'The registry', setting: 'REGISTRY_URL', ...more });
  closers.push(server.close);
  return server;
}

it('sends forms, JSON and streams, and answers refusals as they are', async () => {
  const { base } = await serve((request, response) => {
    void text(request).then((body) =>
      response
        .writeHead(422, { 'X-Kind': 'refusal' })
        .end(JSON.stringify([request.method, request.url, request.headers['content-type'], body])),
    );
  });
  const { call } = of(base);
  expect(await call('GET', '/x', { query: { a: 'ü&b' } })).toMatchObject({
    status: 422,
    headers: { 'x-kind': 'refusal' },
    data: ['GET', '/api/x?a=%C3%BC%26b', null, ''],
  });
  const form = await call('POST', '/x', { body: { form: { a: '1&2' } } });
  expect(form.data).toEqual(['POST', '/api/x', 'application/x-www-form-urlencoded', 'a=1%262']);
  const stream = () => Readable.from([Buffer.from('ab'), Buffer.from('c')]);
  const sent = await call('PUT', '/x', { body: { stream, length: 3, type: 'application/octet-stream' } });
  expect(sent.data).toEqual(['PUT', '/api/x', 'application/octet-stream', 'abc']);
});

it('asks again where that is safe, and says how busy the server is where it is not', async () => {
  const { base, times } = await serve((_request, response, n) => response.writeHead(n < 3 ? 503 : 200).end('{}'));
  expect((await of(base).call('GET', '/x')).status).toBe(200);
  expect(times()).toBe(3);
  const busy = await serve((_request, response) =>
    response.writeHead(429, { 'retry-after': '9' }).end('<b>slow down</b>'),
  );
  await expect(of(busy.base).call('POST', '/x')).rejects.toMatchObject({
    code: 'registry.unavailable',
    detail: { retryAfterMs: 9_000 },
    message: expect.stringContaining('it answered 429 (slow down)'),
  });
  expect(busy.times()).toBe(1);
});

it('follows a download elsewhere without our headers, and no other call', async () => {
  const elsewhere = await serve((request, response) =>
    response.end(JSON.stringify(request.headers['authorization'] ?? 'none')),
  );
  const { base } = await serve((_request, response) =>
    response.writeHead(307, { location: `${elsewhere.base}/blob` }).end(),
  );
  const { call, download } = of(base, { headers: () => Promise.resolve({ authorization: 'Bearer secret' }) });
  expect(await text((await download('/x')).body)).toBe('"none"');
  const own = { authorization: 'Bearer signed for this call alone', accept: '*/*' };
  expect(await text((await download('/x', { headers: own })).body)).toBe('"none"');
  expect((await call('GET', '/x')).status).toBe(307);
  await expect(call('GET', `${elsewhere.base}/x`)).rejects.toThrow('where our credentials are not sent');
});

it('asks for new headers once when it is told 401', async () => {
  let token = 'old';
  const { base, times } = await serve((request, response) =>
    response.writeHead(request.headers['authorization'] === 'new' ? 200 : 401).end('why'),
  );
  const options = {
    headers: () => Promise.resolve({ authorization: token }),
    unauthorized: ({ text: why }: { text: string }, sent: Readonly<Record<string, string>>) => {
      expect([why, sent]).toEqual(['why', { authorization: 'old' }]);
      token = 'new';
      return Promise.resolve(true);
    },
  };
  expect((await of(base, options).call('POST', '/x')).status).toBe(200);
  expect(times()).toBe(2);
  const refused = await of(base, { unauthorized: () => Promise.resolve(false) }).call('GET', '/x');
  expect([refused.status, refused.text]).toEqual([401, 'why']);
});

it('keeps secrets out of its sentences, and silence is an end', async () => {
  const { base } = await serve((_request, response) => response.writeHead(503).end('token s3cret-token is tired'));
  const failed = of(base, { secrets: () => ['s3cret-token'], tries: 1 }).call('GET', '/x');
  await expect(failed).rejects.toThrow(
    /The registry at .* \(REGISTRY_URL\) cannot be used: it answered 503 \(token \S* is tired\)\.$/,
  );
  await expect(failed).rejects.not.toThrow('s3cret-token');
  const silent = await serve(() => undefined);
  await expect(of(silent.base, { answerMs: 100, tries: 1 }).call('GET', '/x')).rejects.toThrow(
    'no answer came within 0.1 s',
  );
  const stalled = await serve((_request, response) => response.writeHead(200, { 'content-length': 9 }).write('half'));
  const half = 'no more of the answer came within 0.1 s';
  await expect(of(stalled.base, { answerMs: 100, tries: 1 }).call('GET', '/x')).rejects.toThrow(half);
  await expect(text((await of(stalled.base, { answerMs: 100 }).download('/x')).body)).rejects.toThrow(half);
});

it('says when there is no TLS where https is wanted', async () => {
  const { base } = await serve((_request, response) => response.end('{}'));
  const failed = of(base.replace('http:', 'https:'), { tries: 1 }).call('GET', '/x');
  await expect(failed).rejects.toThrow(/cannot be used: it does not speak TLS there, as https wants it\.$/);
});

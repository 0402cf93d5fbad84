import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { FairwayError } from '@fairway/core';
import { afterEach, describe, expect, it } from 'vitest';
import { OWN_HOST_LIMITS, type HostLimits } from './budget.ts';
import { type ApiCredentials, forgeClient } from './client.ts';

type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers'] };
type Reply = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string };

const closers: Array<() => void> = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function serve(answer: (seen: Seen, times: number, response: ServerResponse) => Reply | undefined) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers });
    const reply = answer({ method, url, headers }, seen.length, response);
    if (reply !== undefined) response.writeHead(reply.status ?? 200, reply.headers).end(reply.body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as { port: number }).port}/api`, seen };
}

const fixed: ApiCredentials = {
  current: () => Promise.resolve({ user: 'bot', token: 'secret-token-1' }),
  header: (token) => ({ authorization: `token ${token}` }),
};
const clientOf = (base: string, limits: HostLimits = OWN_HOST_LIMITS, credentials = fixed, now = () => Date.now()) =>
  forgeClient({ base, credentials, limits, clock: { now } });
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as FairwayError,
  );

describe('answers', () => {
  it('come with status, JSON and headers; refusals too', async () => {
    const { base, seen } = await serve((_seen, times) =>
      times === 1 ? { body: '{"a":1}', headers: { 'X-Next-Page': '2' } } : { status: 422, body: '{"message":"no"}' },
    );
    const call = clientOf(base);
    expect(await call('GET', '/x', { query: { a: 'ü&b' } })).toMatchObject({
      status: 200,
      data: { a: 1 },
      headers: { 'x-next-page': '2' },
    });
    expect(await call('POST', '/y', { body: {} })).toMatchObject({ status: 422, data: { message: 'no' } });
    expect(seen[0]).toMatchObject({ url: '/api/x?a=%C3%BC%26b', headers: { authorization: 'token secret-token-1' } });
  });

  it('that are not JSON or empty are told as they are', async () => {
    const { base } = await serve((_seen, times) => ({ body: times === 1 ? '<html>' : '' }));
    const call = clientOf(base);
    expect((await call('GET', '/x')).data).toBe('<html>');
    expect((await call('GET', '/x')).data).toBeUndefined();
  });

  it('of a redirect stay where they are: the token is not taken along', async () => {
    const elsewhere = await serve(() => ({ body: '{}' }));
    const { base } = await serve(() => ({ status: 302, headers: { location: elsewhere.base } }));
    expect((await clientOf(base)('GET', '/x')).status).toBe(302);
    const pointed = await failure(clientOf(base)('GET', `${elsewhere.base}/x`));
    expect(pointed?.message).toContain('where the token is not sent');
    expect(elsewhere.seen).toEqual([]);
  });
});

describe('a forge that cannot be used', () => {
  it.each([
    ['it answered 500', { status: 500, body: '{"message":"token secret-token-1 broke"}' }, {}],
    ['it answered 503 (no reason given)', { status: 503, headers: { 'retry-after': '7' } }, { retryAfterMs: 7_000 }],
    ['it asks for a pause (429', { status: 429, headers: { 'retry-after': '9' } }, { retryAfterMs: 9_000 }],
    [
      'pause',
      { status: 403, body: '{"message":"You have exceeded a secondary rate limit"}' },
      { retryAfterMs: 60_000 },
    ],
    ['maxContentLength', { body: 'x'.repeat(33 * 2 ** 20) }, {}],
  ])('%s', async (words, reply, detail) => {
    const { base } = await serve(() => reply);
    const error = await failure(clientOf(base)('GET', '/x'));
    expect(error).toMatchObject({ code: 'forge.unavailable', disposition: 'retryable', detail });
    expect(error?.message).toContain(words);
    expect(error?.message).not.toContain('secret-token');
  });

  it('resets the connection, or is not there', async () => {
    const { base } = await serve((_seen, _times, response) => void response.socket?.destroy());
    const errors = [
      await failure(clientOf(base)('GET', '/x')),
      await failure(clientOf('http://127.0.0.1:1')('GET', '/x')),
    ];
    for (const error of errors) expect(error).toMatchObject({ code: 'forge.unavailable' });
  });

  it('is asked nothing more while it wants a pause', async () => {
    const { base, seen } = await serve(() => ({ status: 429, headers: { 'retry-after': '100' } }));
    let now = 1_000;
    const call = clientOf(base, OWN_HOST_LIMITS, fixed, () => now);
    await failure(call('GET', '/x'));
    now += 10_000;
    expect(await failure(call('GET', '/y'))).toMatchObject({ detail: { retryAfterMs: 90_000 } });
    expect(seen).toHaveLength(1);
    now += 90_000;
    await failure(call('GET', '/z'));
    expect(seen).toHaveLength(2);
  });

  it('has taken all that its published limits allow', async () => {
    const { base, seen } = await serve(() => ({ body: '{}' }));
    const limits = { concurrent: 9, windows: [{ lengthMs: 60_000, limit: 3, read: 0, write: 1 }] };
    const call = clientOf(base, limits, fixed, () => 5_000);
    for (let i = 0; i < 3; i++) await call('POST', '/x', { body: {} });
    await call('POST', '/graphql', { body: {}, kind: 'read' });
    const error = await failure(call('PATCH', '/x', { body: {} }));
    expect(error).toMatchObject({ code: 'forge.unavailable', detail: { retryAfterMs: 60_000 } });
    expect(seen).toHaveLength(4);
  });
});

describe('ETags', () => {
  it('spare what has not changed', async () => {
    let etag = '"one"';
    const { base, seen } = await serve(({ headers }) => {
      const link = '<https://h/2>; rel="next"';
      if (headers['if-none-match'] === etag) return { status: 304, headers: { etag } };
      return { body: JSON.stringify({ etag }), headers: { etag, link } };
    });
    const call = clientOf(base);
    const first = await call('GET', '/x');
    const second = await call('GET', '/x');
    expect(second.data).toEqual(first.data);
    expect(second).toMatchObject({ status: 200, headers: { link: expect.stringContaining('next') } });
    expect(second.data).not.toBe(first.data);
    etag = '"two"';
    expect((await call('GET', '/x')).data).toEqual({ etag });
    expect(seen.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"one"', '"one"']);
  });
});

describe('a token', () => {
  it('that is no longer taken is asked for anew, once', async () => {
    const { base, seen } = await serve(({ headers }) => ({
      status: headers.authorization === 'token new' ? 200 : 401,
    }));
    const refused: string[] = [];
    const credentials: ApiCredentials = {
      ...fixed,
      current: () => Promise.resolve({ user: 'x', token: refused.length === 0 ? 'old' : 'new' }),
      refused: (token) => void refused.push(token),
    };
    expect((await clientOf(base, OWN_HOST_LIMITS, credentials)('GET', '/x')).status).toBe(200);
    expect(refused).toEqual(['old']);
    expect((await clientOf(base)('GET', '/x')).status).toBe(401);
    expect(seen).toHaveLength(3);
  });
});

it('never has more calls under way than the host takes', async () => {
  let [now, most] = [0, 0];
  const waiting: Array<() => void> = [];
  const { base } = await serve((_seen, _times, response) => {
    most = Math.max(most, ++now);
    waiting.push(() => {
      now -= 1;
      response.end('{}');
    });
    return undefined;
  });
  const call = clientOf(base, { concurrent: 3, windows: [] });
  const calls = Array.from({ length: 7 }, () => call('GET', '/x'));
  for (let answered = 0; answered < 7; answered++) {
    await expect.poll(() => waiting.length).toBeGreaterThan(0);
    waiting.shift()?.();
  }
  await Promise.all(calls);
  expect(most).toBe(3);
});

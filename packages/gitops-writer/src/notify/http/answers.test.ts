import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import type { Answer } from '../../ports.ts';
import { httpAnswers } from './answers.ts';

type Call = { readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: string };
const NOW = 1_800_000_000_000;
const SECRET = 'secret-of-the-answers';
const answer = { idempotencyKey: 'a-1', eventId: 'e', changeId: 'c', outcome: 'live' } as Answer;
const stops: Array<() => void> = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** A workflow that answers so; `calls` are what it got. */
async function workflow(status: number, headers: Record<string, string> = {}) {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(status, headers).end('x'.repeat(100_000));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${(server.address() as { port: number }).port}`, calls };
}

const answersTo = (origins: readonly string[], secret: string | undefined = SECRET) =>
  httpAnswers({ origins, secret, clock: { now: () => NOW }, nonce: () => 'nonce-0123456789' });

it('posts the answer with its key, signed over what is sent', async () => {
  const { origin, calls } = await workflow(204);
  expect(await answersTo([origin]).answer(answer, `${origin}/callback?ticket=42`)).toEqual({ kind: 'accepted' });
  const [call] = calls;
  expect(JSON.parse(call?.body ?? '')).toEqual(answer);
  expect(call).toMatchObject({ url: '/callback?ticket=42', headers: { 'idempotency-key': 'a-1' } });
  const hash = createHash('sha256')
    .update(call?.body ?? '')
    .digest('hex');
  const text = `POST\n/callback?ticket=42\n${NOW / 1000}\nnonce-0123456789\n${hash}`;
  expect(call?.headers).toMatchObject({
    'content-type': 'application/json',
    'x-fairway-key': 'fairway',
    'x-fairway-timestamp': String(NOW / 1000),
    'x-fairway-nonce': 'nonce-0123456789',
    'x-fairway-signature': `v1=${createHmac('sha256', SECRET).update(text).digest('hex')}`,
  });
});

it.each([
  [200, {}, { kind: 'accepted' }],
  [
    302,
    { location: 'http://127.0.0.1:1/' },
    { kind: 'dead', reason: expect.stringContaining('redirects are not followed') },
  ],
  [400, {}, { kind: 'dead', reason: expect.stringContaining('answered 400, which no retry will mend') }],
  [404, {}, { kind: 'dead', reason: expect.stringContaining('answered 404') }],
  [408, {}, { kind: 'retry', reason: expect.stringContaining('answered 408') }],
  [429, { 'retry-after': '7' }, { kind: 'retry', afterMs: 7_000 }],
  [429, { 'retry-after': 'soon' }, { kind: 'retry', reason: expect.stringContaining('answered 429') }],
  [503, { 'retry-after': new Date(NOW + 5_000).toUTCString() }, { kind: 'retry', afterMs: 5_000 }],
  [500, {}, { kind: 'retry' }],
])('takes %i %o for what it is', async (status, headers, wanted) => {
  const { origin } = await workflow(status, headers);
  expect(await answersTo([origin]).answer(answer, `${origin}/`)).toMatchObject(wanted);
});

it('calls nobody outside the allowed origins', async () => {
  const { origin, calls } = await workflow(200);
  const dead = { kind: 'dead', reason: expect.stringContaining('not among ANSWER_ORIGINS') };
  for (const to of [`${origin}/`, undefined, 'process 42']) {
    expect(await answersTo(['https://viya.example.com']).answer(answer, to)).toMatchObject(dead);
  }
  expect(calls).toEqual([]);
});

it('tries again when nobody listens, without the path in the reason', async () => {
  const origin = 'http://127.0.0.1:1';
  const result = await answersTo([origin]).answer(answer, `${origin}/callback?ticket=42`);
  expect(result).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('http://127.0.0.1:1 does not answer'),
  });
  expect(JSON.stringify(result)).not.toContain('ticket');
});

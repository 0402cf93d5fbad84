import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import type { NotifierAnswer } from '../../ports.ts';
import { monitorNotifier } from './notifier.ts';

const content = {
  event: 'live',
  title: 'It is live',
  text: '',
  facts: [],
  links: [],
  tone: 'good',
  deliveryId: 'd-1',
} as const;
const clock = { now: () => 0 };

/** What becomes of an announcement that is answered so. */
async function told(status: number, body: string, headers: Record<string, string> = {}): Promise<NotifierAnswer> {
  const server = createServer((_request, response) => response.writeHead(status, headers).end(body)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await monitorNotifier(`http://127.0.0.1:${port}/`, 'secret-token', clock).send({
    model: 'm',
    content,
  });
  server.close();
  return answer;
}

it.each<[number, string, NotifierAnswer['kind'], RegExp]>([
  [200, '{"kept":false}', 'accepted', /no channel to people/],
  [200, '<html>sign in</html>', 'retry', /answered 200: check MONITOR_URL/],
  [302, '', 'retry', /answered 302/],
  [400, '{"detail":"Send it."}', 'dead', /refused it \(400\): Send it\./],
  [401, '{"detail":"no"}', 'retry', /check MONITOR_TOKEN/],
  [404, '', 'retry', /as new as the writer/],
  [503, '', 'retry', /answered 503/],
])('an answer of %i %s', async (status, body, kind, reason) => {
  const answer = await told(status, body, { 'content-type': 'application/json', location: 'http://127.0.0.1:1/' });
  expect(answer.kind).toBe(kind);
  expect(answer.reason).toMatch(reason);
  expect(answer.reason).not.toContain('secret-token');
});

it('takes what is kept for told, waits as it is asked to, and tries again where nobody answers', async () => {
  expect(await told(200, '{"kept":true}', { 'content-type': 'application/json' })).toEqual({ kind: 'accepted' });
  expect(await told(429, '', { 'retry-after': '7' })).toMatchObject({ kind: 'retry', afterMs: 7000 });
  const away = await monitorNotifier('http://127.0.0.1:1', 'secret-token', clock).send({ model: 'm', content });
  expect(away).toEqual({ kind: 'retry', reason: 'The monitor does not answer (ECONNREFUSED).' });
});

it('says how long it has waited', async () => {
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());
  try {
    expect(await told(200, '{"kept":true}')).toEqual({
      kind: 'retry',
      reason: 'The monitor does not answer (nothing within 10 s).',
    });
    expect(timeout).toHaveBeenCalledWith(10_000);
  } finally {
    timeout.mockRestore();
  }
});

import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { labelSender } from './labels.ts';

const LABELS = [
  { id: 'a-0', label: 1 },
  { id: 'b-0', label: 0 },
] as const;

/** What the sender makes of one answer of the recorder, and what the recorder was sent. */
async function sent(status: number, body: unknown) {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push([request.method, request.url, request.headers.authorization, Buffer.concat(chunks).toString()]);
      response
        .writeHead(status, { location: '/signed-in' })
        .end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    return { asked, answer: await labelSender(url, 'secret-token')(LABELS).catch(({ message }: Error) => message) };
  } finally {
    server.close();
  }
}

test('labels that the recorder took are nothing to tell', async () => {
  const { asked, answer } = await sent(200, { joined: 1, early: 1, refused: [], refusedTotal: 0 });
  expect(answer).toBeUndefined();
  const lines = '{"id":"a-0","label":1}\n{"id":"b-0","label":0}';
  expect(asked).toEqual([['POST', '/v1/labels', 'Bearer secret-token', lines]]);
});

test('those among them that it refuses are counted, with the reason of the first', async () => {
  const { answer } = await sent(200, { joined: 1, refused: [{ id: 'b-0', reason: 'no such class' }], refusedTotal: 1 });
  expect(answer).toEqual({ count: 1, reason: 'no such class' });
});

test.each([400, 413, 415, 422])('all are refused for good by %i, and a sentence says why', async (status) => {
  const { answer } = await sent(status, { detail: 'The body cannot be used.' });
  const reason = expect.stringMatching(
    `^The recorder at http://.*answered ${status} to labels: The body cannot be used.$`,
  );
  expect(answer).toEqual({ count: 2, reason });
  expect((await sent(status, '<html>')).answer).toMatchObject({
    count: 2,
    reason: expect.stringMatching(/: no reason$/),
  });
});

test.each([401, 403, 404, 408, 429, 500, 503])(
  '%i is about the way, not the labels: they are sent again',
  async (status) => {
    const { answer } = await sent(status, { detail: 'no' });
    expect(answer).toMatch(new RegExp(`answered ${status} to labels\\.$`));
  },
);

test.each(['<html>sign in</html>', 'null', '{"joined":2}'])(
  'an answer of 200 that is none of a recorder (%s) takes no label',
  async (body) => {
    const { answer } = await sent(200, body);
    expect(answer).toMatch(/answered 200 to labels, but not as a recorder does; check TAIL_RECORDER_URL\.$/);
  },
);

test('a redirect is not followed', async () => {
  const { asked, answer } = await sent(302, '');
  expect(answer).toMatch(/answered 302 to labels\.$/);
  expect(asked).toHaveLength(1);
});

test('a recorder that is away is named, with the reason', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.close();
  await once(server, 'close');
  await expect(labelSender(`${url}/`, 'secret-token')(LABELS)).rejects.toThrow(
    `The recorder at ${url} does not take labels (ECONNREFUSED).`,
  );
});

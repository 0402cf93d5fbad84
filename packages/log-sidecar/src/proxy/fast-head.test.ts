import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FastHead } from './fast-head.ts';
import { parseRequestHead, parseResponseHead } from './head.ts';

const PARTS = [
  'POST ',
  'GET ',
  '/v1/models/m:predict',
  ' HTTP/1.1',
  ' HTTP/1.0',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 ',
  'HTTP/1.1 404 No',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  'Host: x',
  'content-length: 12',
  'Content-Length:\t07 ',
  'Content-Length: 1x',
  'Content-Length: 1234567890123456',
  'Transfer-Encoding: chunked',
  'X-Request-Id: a b ',
  'X-Request-Id:',
  'x-fairway-time: t',
  'Content-Encoding: gzip',
  'a b: c',
  ': c',
  'x-é: y',
  'X: \x01',
  'X: \xff',
] as const;

/** Heads from the parts of heads, most of them whole. */
const text = fc
  .tuple(
    fc.constantFrom('POST /v1/models/m:predict HTTP/1.1\r\n', 'HTTP/1.1 200 OK\r\n', ''),
    fc.array(fc.constantFrom(...PARTS), { maxLength: 6 }),
    fc.constantFrom('\r\n', ''),
  )
  .map(([start, parts, between]) => `${start}${parts.join(between)}\r\n\r\n`);

test('what the fast reader reads, the strict one reads in the same way', () => {
  const fast = new FastHead();
  let read = 0;
  const property = fc.property(text, fc.constantFrom('', 'xx'), (head, before) => {
    const bytes = Buffer.from(before + head, 'latin1');
    const own = (end: number) => bytes.subarray(before.length, end);
    const request = fast.request(bytes, before.length);
    if (request) {
      expect(parseRequestHead(own(fast.end))).toEqual(request);
      expect(bytes.indexOf('\r\n\r\n') + 4).toBe(fast.end);
      read++;
    }
    const response = fast.response(bytes, before.length);
    if (response) {
      expect(parseResponseHead(own(fast.end), 'POST')).toEqual(response);
      expect(bytes.indexOf('\r\n\r\n') + 4).toBe(fast.end);
      read++;
    }
  });
  fc.assert(property, { numRuns: 5000 });
  expect(read).toBeGreaterThan(200);
}, 60_000);

test('a head that is not whole is not read, wherever it is cut', () => {
  const whole = 'POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nX-Request-Id: a\r\n\r\n';
  const fast = new FastHead();
  for (let end = 0; end < whole.length; end++) {
    expect(fast.request(Buffer.from(whole.slice(0, end)), 0)).toBeUndefined();
  }
  expect(fast.request(Buffer.from(whole), 0)).toMatchObject({ body: 3, correlationId: 'a' });
});

test('a head that comes again is read as before, at any place, and one of other bytes is not taken for it', () => {
  const fast = new FastHead();
  const request = (id: string, body: string) =>
    `POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: ${body.length}\r\nX-Request-Id: ${id}\r\n\r\n${body}`;
  const read = (text: string, at = 0) => {
    const head = fast.request(Buffer.from(text), at);
    return [head?.correlationId, head?.body, fast.end - at];
  };
  const length = request('a', '').length;
  expect(read(request('a', 'xyz'))).toEqual(['a', 3, length]);
  expect(read(`..${request('a', 'xyz')}`, 2)).toEqual(['a', 3, length]);
  expect(read(request('b', 'xyz'))).toEqual(['b', 3, length]);
  expect(read(request('b', 'xy'))).toEqual(['b', 2, length]);
  expect(fast.request(Buffer.from(request('b', '').slice(0, -1)), 0)).toBeUndefined();
  expect(read(request('long'.repeat(500), ''))).toEqual(['long'.repeat(500), 0, length + 1999]);
  for (let i = 0; i < 40; i++) expect(read(request(`${i % 10}`, 'x'))).toEqual([`${i % 10}`, 1, length]);
  expect(read(request('9', 'x'))).toEqual(['9', 1, length]);
});

test('so is the head of an answer', () => {
  const fast = new FastHead();
  for (const body of ['{}', '{}', '[1]']) {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect(fast.response(Buffer.from(`.${head}${body}`), 1)).toEqual({ status: 200, body: body.length });
    expect(fast.end).toBe(head.length + 1);
  }
});

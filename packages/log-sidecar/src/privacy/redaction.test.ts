import { gzipSync } from 'node:zlib';
import type { Exchange } from '@fairway/core';
import { expect, test } from 'vitest';
import { createTally } from '../tally.ts';
import { redactExchange } from './redaction.ts';

const REQUEST = '{"instances":[{"ssn":"S3CRET","x":1.0}]}';
const RESPONSE = '{"predictions":[[0.5]]}';
const LARGE = Buffer.from(`{"instances":[{"ssn":"S3CRET","x":"${'x'.repeat(1024 * 1024)}"}]}`);

type Change = { request?: Buffer; response?: Buffer; head?: Partial<Exchange['head']> };

function exchange({ request = Buffer.from(REQUEST), response = Buffer.from(RESPONSE), head }: Change): Exchange {
  return {
    head: {
      v: 1,
      id: 'x',
      seq: 1,
      time: '2026-11-22T08:00:00.000Z',
      model: 'm',
      version: '1',
      versionSource: 'status',
      environment: 'dev',
      method: 'POST',
      target: '/v1/models/m:predict',
      status: 200,
      latencyMs: 1,
      outcome: 'complete',
      requestLength: request.length,
      responseLength: response.length,
      ...head,
    },
    request,
    response,
  };
}

function redacted(change: Change) {
  const tally = createTally();
  const redaction = { rules: new Map([['ssn', { kind: 'drop' as const }]]), key: '', tally };
  const { head, request, response } = redactExchange(exchange(change), redaction);
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
  return { head, request: text(request), response: text(response), withheld: tally.withheld };
}

const PLAIN = '{"instances":[{"x":1.0}]}';

test('both bodies are kept without the values, and the head says which variables', () => {
  const { head, ...rest } = redacted({});
  expect(rest).toEqual({ request: PLAIN, response: RESPONSE, withheld: {} });
  expect(head.redacted).toEqual({ variables: ['ssn'] });
  expect(head.requestLength).toBe(REQUEST.length);
});

test('gzip is stored plain', () => {
  const { head, request } = redacted({ request: gzipSync(REQUEST), head: { requestEncoding: 'gzip' } });
  expect(request).toBe(PLAIN);
  expect(head).not.toHaveProperty('requestEncoding');
});

test('bodies that are empty say nothing', () => {
  const { head, withheld } = redacted({ request: Buffer.alloc(0), response: Buffer.alloc(0) });
  expect([head.redacted, withheld]).toEqual([{ variables: ['ssn'] }, {}]);
});

const bad = (text: string) => ({ request: Buffer.from(text) });

test.each<[string, Change, string]>([
  ['no JSON', bad('{"ssn":"S3CRET'), 'unparsable'],
  ['bytes after the root', bad(`${REQUEST}S3CRET`), 'unparsable'],
  ['no UTF-8', { request: Buffer.from('{"a":"S3CRET\xff"}', 'latin1') }, 'unparsable'],
  ['values without names', bad('{"instances":["S3CRET"]}'), 'unnamed'],
  ['cut at the cap', { head: { requestLength: 10_000, truncated: true } }, 'truncated'],
  ['too large', { request: LARGE }, 'too_large'],
  ['another encoding', { head: { requestEncoding: 'br' } }, 'encoding'],
  ['no gzip', { head: { requestEncoding: 'gzip' } }, 'unparsable'],
  ['a torn gzip', { request: gzipSync(REQUEST).subarray(0, 30), head: { requestEncoding: 'gzip' } }, 'unparsable'],
  ['a gzip bomb', { request: gzipSync(LARGE), head: { requestEncoding: 'gzip' } }, 'too_large'],
])('of a request that is %s nothing is left', (_, change, reason) => {
  const { head, request, response, withheld } = redacted(change);
  expect({ request, response, withheld }).toEqual({ request: '', response: RESPONSE, withheld: { [reason]: 1 } });
  expect(head.redacted).toEqual({ variables: ['ssn'], request: reason });
});

test.each<[string, Change, string]>([
  [
    'an error that quotes the caller',
    { response: Buffer.from('{"error":"S3CRET"}'), head: { status: 400 } },
    'error_body',
  ],
  ['torn', { response: Buffer.from('{"predictions":["S3CR') }, 'unparsable'],
  ['cut', { head: { responseLength: 10_000 } }, 'truncated'],
])('of an answer that is %s nothing is left', (_, change, reason) => {
  const { head, request, response } = redacted(change);
  expect([request, response, head.redacted?.response]).toEqual([PLAIN, '', reason]);
});

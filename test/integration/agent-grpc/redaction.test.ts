import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Exchange, ExchangeHead } from '@fairway/core';
import { expect, test } from 'vitest';
import { redactExchange } from '../../../packages/log-sidecar/src/privacy/redaction.ts';
import { readRules } from '../../../packages/log-sidecar/src/privacy/rules.ts';
import { createTally } from '../../../packages/log-sidecar/src/tally.ts';
import { splitExchange } from '../../../packages/monitor/src/app/split.ts';
import { float32, floats, predictRequest, predictResponse, texts } from '../../harness/grpc/messages.ts';
import { PREDICT } from '../../harness/grpc/unary.ts';
import { message, type Part } from '../../harness/protobuf.ts';

const KEY = 'a key of no more than this test, long enough';
const SECRET = 'S3CRET-ä';
const TOKEN = createHmac('sha256', KEY).update(SECRET).digest('base64url').slice(0, 22);
const MODEL = { name: 'm' };

const REQUEST = predictRequest(MODEL, {
  ssn: texts([2], [SECRET, SECRET]),
  name: texts([2], [SECRET, 'other']),
  zip: texts([2, 1], [SECRET, 'ä']),
  LOAN: floats([2, 1], [1, 2]),
});
const RESPONSE = predictResponse(
  { ...MODEL, version: 7 },
  { P: floats([2, 1], [0.25, 0.5]), ssn: texts([2], [SECRET, '']) },
);
const ROWS = [
  [{ name: TOKEN, zip: 'S3C', LOAN: 1 }, { P: 0.25 }],
  [{ name: expect.stringMatching(/^[\w-]{22}$/), zip: 'ä', LOAN: 2 }, { P: 0.5 }],
];

function redacted(
  request: Uint8Array,
  response: Uint8Array,
  more: Partial<ExchangeHead> = {},
  rules = 'ssn=drop,name=hash,zip=truncate:3',
) {
  const head: ExchangeHead = {
    v: 1,
    id: 'x',
    seq: 1,
    time: '2026-11-22T08:00:00.000Z',
    model: 'm',
    version: '7',
    versionSource: 'answer',
    environment: 'dev',
    method: 'POST',
    target: PREDICT,
    status: 200,
    grpcStatus: 0,
    protocol: 'grpc',
    latencyMs: 1,
    outcome: 'complete',
    requestLength: request.length,
    responseLength: response.length,
    ...more,
  };
  const read = readRules(rules);
  if (!('value' in read)) throw new Error(read.problem);
  return redactExchange({ head, request, response }, { rules: read.value, key: KEY, tally: createTally() });
}

const rows = (exchange: Exchange) => {
  const split = splitExchange(exchange, undefined);
  return 'reason' in split ? split.reason : split.records.map(({ inputs, outputs }) => [inputs, outputs]);
};
const written = ({ request, response }: Exchange) => Buffer.concat([request, response]).toString('utf8');

test.each<[string, Uint8Array, Uint8Array, Partial<ExchangeHead>]>([
  ['plain messages', REQUEST, RESPONSE, {}],
  ['gzip messages', gzipSync(REQUEST), gzipSync(RESPONSE), { requestEncoding: 'gzip' }],
])('%s: variables are dropped, hashed and cut, and the rest can be read', (_, request, response, head) => {
  const exchange = redacted(request, response, head);
  expect(rows(exchange)).toEqual(ROWS);
  expect(written(exchange)).not.toContain(SECRET);
  expect(exchange.head.redacted).toEqual({ variables: ['ssn', 'name', 'zip'] });
});

test('without a variable of the rules every byte stays', () => {
  const exchange = redacted(REQUEST, RESPONSE, {}, 'else=drop');
  expect(Buffer.from(exchange.request).equals(Buffer.from(REQUEST))).toBe(true);
  expect(Buffer.from(exchange.response).equals(Buffer.from(RESPONSE))).toBe(true);
});

const feature = (name: string, kind: number, ...values: readonly Part[]): Part => [
  1,
  message([1, name], [2, message([kind, message(...values)])]),
];
const example = (...features: readonly Part[]) => message([1, message(...features)]);

test('features of examples and of their context, too', () => {
  const input = message([
    2,
    message(
      [1, example(feature('ssn', 1, [1, SECRET]), feature('LOAN', 2, [1, float32([2.5])]))],
      [1, example(feature('name', 1, [1, SECRET]), feature('LOAN', 2, [1, float32([3])]))],
      [2, example(feature('zip', 1, [1, SECRET]))],
    ),
  ]);
  const request = message([1, message([1, 'm'])], [2, input]);
  const target = PREDICT.replace('/Predict', '/Regress');
  const exchange = redacted(request, message([1, message([1, message()], [1, message()])]), { target });
  expect(rows(exchange)).toEqual([
    [{ zip: 'S3C', LOAN: 2.5 }, { value: 0 }],
    [{ zip: 'S3C', name: TOKEN, LOAN: 3 }, { value: 0 }],
  ]);
  expect(written(exchange)).not.toContain(SECRET);
});

test.each<[string, string, Uint8Array, Partial<ExchangeHead>, string]>([
  ['a number that is to be hashed', 'encoding', REQUEST, {}, 'LOAN=hash'],
  ['texts in tensor_content', 'encoding', predictRequest(MODEL, { ssn: message([1, 7], [4, SECRET]) }), {}, 'ssn=hash'],
  ['an unknown encoding', 'encoding', REQUEST, { requestEncoding: 'snappy' }, 'ssn=drop'],
  ['what is no message', 'unparsable', Buffer.from(`{"ssn":"${SECRET}"}`), {}, 'ssn=drop'],
  ['a message that is cut', 'truncated', REQUEST, { requestLength: REQUEST.length + 1 }, 'ssn=drop'],
])('%s is withheld: %s', (_, reason, request, head, rules) => {
  const exchange = redacted(request, RESPONSE, head, rules);
  expect(exchange.head.redacted?.request).toBe(reason);
  expect(exchange.request).toHaveLength(0);
});

test('texts in tensor_content can be dropped', () => {
  const exchange = redacted(predictRequest(MODEL, { ssn: message([1, 7], [4, SECRET]) }), RESPONSE);
  expect(written(exchange)).not.toContain(SECRET);
  expect(exchange.head.redacted).not.toHaveProperty('request');
});

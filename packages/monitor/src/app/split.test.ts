import { gzipSync } from 'node:zlib';
import type { Exchange, ExchangeHead, ModelVersion } from '@fairway/core';
import { describe, expect, test } from 'vitest';
import { splitExchange } from './split.ts';

const HEAD: ExchangeHead = {
  v: 1,
  id: 'x',
  seq: 1,
  time: '2025-01-01T00:00:00.000Z',
  model: 'm',
  version: '1',
  versionSource: 'status',
  environment: 'prod',
  method: 'POST',
  target: '/v1/models/m:predict',
  status: 200,
  latencyMs: 2,
  outcome: 'complete',
  requestLength: 1,
  responseLength: 1,
};
const SOLE = {
  signature: { inputs: [{ name: 'amount' }], outputs: [{ name: 'p' }] },
} as unknown as ModelVersion;

const exchange = (request: string | Uint8Array, response: string, head: Partial<ExchangeHead> = {}): Exchange => ({
  head: { ...HEAD, ...head },
  request: typeof request === 'string' ? Buffer.from(request) : request,
  response: Buffer.from(response),
});
const rows = (one: Exchange, known?: ModelVersion) => {
  const split = splitExchange(one, known);
  return 'records' in split ? split.records.map(({ id, inputs, outputs }) => [id, inputs, outputs]) : split.reason;
};

describe('splits', () => {
  test.each([
    [
      'row form, several tensors',
      '{"instances": [{"a": [1], "b": "x"}, {"a": [NaN], "b": {"b64": "eHk="}}]}',
      '{"predictions": [{"p": 0.1, "c": ["no"]}, {"p": 0.9, "c": ["yes"]}]}',
      [
        ['x-0', { a: 1, b: 'x' }, { p: 0.1, c: 'no' }],
        ['x-1', { a: Number.NaN, b: 'xy' }, { p: 0.9, c: 'yes' }],
      ],
    ],
    [
      'columnar form, several tensors',
      '{"inputs": {"a": [[1], [2]], "b": ["x", null]}}',
      '{"outputs": {"p": [[0.1], [0.9]]}}',
      [
        ['x-0', { a: 1, b: 'x' }, { p: 0.1 }],
        ['x-1', { a: 2, b: null }, { p: 0.9 }],
      ],
    ],
    [
      'a vector and a large integer, kept as text',
      '{"instances": [{"v": [1, Infinity], "n": 9007199254740993}]}',
      '{"predictions": [0.5]}',
      [['x-0', { v: '[1,"Infinity"]', n: '9007199254740993' }, { output: 0.5 }]],
    ],
  ])('%s', (_, request, response, expected) => {
    expect(rows(exchange(request, response))).toEqual(expected);
  });

  test('bare values by the names of the signature', () => {
    expect(rows(exchange('{"instances": [1, [2]]}', '{"predictions": [0.1, [0.2]]}'), SOLE)).toEqual([
      ['x-0', { amount: 1 }, { p: 0.1 }],
      ['x-1', { amount: 2 }, { p: 0.2 }],
    ]);
    expect(rows(exchange('{"inputs": [1]}', '{"outputs": [0.1]}'), SOLE)).toEqual([['x-0', { amount: 1 }, { p: 0.1 }]]);
  });

  test('a gzip request, pinned version in the path', () => {
    const body = gzipSync('{"instances": [{"a": 1}]}');
    expect(
      rows(
        exchange(body, '{"predictions": [0.1]}', {
          requestEncoding: 'gzip',
          target: '/v1/models/m/versions/3:predict',
        }),
      ),
    ).toHaveLength(1);
  });
});

test.each<[string, Exchange]>([
  ['client_aborted', exchange('{}', '{}', { outcome: 'client_aborted' })],
  ['status_400', exchange('{}', '{}', { status: 400 })],
  ['truncated', exchange('{}', '{}', { truncated: true })],
  ['unsupported_classify', exchange('{}', '{}', { target: '/v1/models/m:classify' })],
  ['not_a_prediction', exchange('{}', '{}', { target: '/v1/models/m/metadata' })],
  ['time_unreadable', exchange('{}', '{}', { time: 'soon' })],
  ['request_unreadable', exchange('{"instances": [', '{}')],
  ['request_undecodable', exchange('no gzip', '{}', { requestEncoding: 'gzip' })],
  ['response_unreadable', exchange('{"instances": [1]}', '<html>')],
  ['not_an_object', exchange('[1]', '{}')],
  ['no_predictions', exchange('{"instances": [1]}', '{"error": "x"}')],
  ['lengths_differ', exchange('{"instances": [1, 2]}', '{"predictions": [1]}')],
  ['no_predictions', exchange('{"inputs": {"a": [1, 2], "b": [1]}}', '{"outputs": [1, 2]}')],
])('answers %s instead of throwing', (reason, one) => {
  expect(splitExchange(one, undefined)).toEqual({ reason });
});

import { gzipSync } from 'node:zlib';
import type { Exchange, ExchangeHead, ModelVersion } from '@fairway/core';
import { describe, expect, test } from 'vitest';
import { PREDICT_HEAD } from './predict-head.ts';
import { splitExchange } from './split.ts';

const SOLE = {
  signature: { name: 'serving_default', inputs: [{ name: 'amount' }], outputs: [{ name: 'p' }] },
  target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
} as unknown as ModelVersion;
const TWO = {
  signature: { name: 'serving_default', inputs: [{ name: 'a' }, { name: 'b' }], outputs: [{ name: 'p' }] },
  target: { variable: 'BAD', event: '1', probability: 'P_BAD1', classification: 'I_BAD' },
} as unknown as ModelVersion;

const exchange = (request: string | Uint8Array, response: string, head: Partial<ExchangeHead> = {}): Exchange => ({
  head: { ...PREDICT_HEAD, ...head },
  request: typeof request === 'string' ? Buffer.from(request) : request,
  response: Buffer.from(response),
});
const to = (verb: string): Partial<ExchangeHead> => ({ target: `/v1/models/m:${verb}` });
/** `[inputs, outputs]` of each record, or the reason. */
const rows = (one: Exchange, known?: ModelVersion) => {
  const split = splitExchange(one, known);
  return 'records' in split ? split.records.map(({ inputs, outputs }) => [inputs, outputs]) : split.reason;
};

type Case = [what: string, request: string, response: string, expected: unknown, known?: ModelVersion];

describe('predict, row form', () => {
  test.each<Case>([
    [
      'one tensor, bare scalars',
      '[1, 2.5]',
      '[0.1, 0.2]',
      [
        [{ amount: 1 }, { p: 0.1 }],
        [{ amount: 2.5 }, { p: 0.2 }],
      ],
      SOLE,
    ],
    [
      'one tensor, nested lists',
      '[[1, 2], [3, 4]]',
      '[[0.1], [0.2]]',
      [
        [{ amount: '[1,2]' }, { p: 0.1 }],
        [{ amount: '[3,4]' }, { p: 0.2 }],
      ],
      SOLE,
    ],
    ['one tensor, bytes', '[{"b64": "eHk="}]', '[{"b64": "/w=="}]', [[{ amount: 'xy' }, { p: '/w==' }]], SOLE],
    ['one tensor, by its name', '[{"amount": 3}]', '[0.1]', [[{ amount: 3 }, { p: 0.1 }]], SOLE],
    ['names that nobody knows', '[1]', '[0.1]', [[{ input: 1 }, { output: 0.1 }]]],
    ['several tensors have no sole name', '[{"a": 1, "b": "x"}]', '[0.1]', [[{ a: 1, b: 'x' }, { p: 0.1 }]], TWO],
    [
      'several outputs',
      '[{"a": [1], "b": "x"}, {"a": [NaN], "b": {"b64": "eHk="}}]',
      '[{"p": 0.1, "c": ["no"]}, {"p": 0.9, "c": ["yes"]}]',
      [
        [
          { a: 1, b: 'x' },
          { p: 0.1, c: 'no' },
        ],
        [
          { a: Number.NaN, b: 'xy' },
          { p: 0.9, c: 'yes' },
        ],
      ],
    ],
    ['more answers than questions', '[1]', '[0.1, 0.2]', 'lengths_differ'],
  ])('%s', (_, instances, predictions, expected, known) => {
    const one = exchange(
      `{"signature_name": "serving_default", "instances": ${instances}}`,
      `{"predictions": ${predictions}}`,
    );
    expect(rows(one, known)).toEqual(expected);
  });
});

describe('predict, columnar form', () => {
  test.each<Case>([
    [
      'one tensor',
      '[1, 2]',
      '[0.1, 0.2]',
      [
        [{ amount: 1 }, { p: 0.1 }],
        [{ amount: 2 }, { p: 0.2 }],
      ],
      SOLE,
    ],
    [
      'one tensor by its name',
      '{"amount": [[1], [2]]}',
      '[[0.1], [0.2]]',
      [
        [{ amount: 1 }, { p: 0.1 }],
        [{ amount: 2 }, { p: 0.2 }],
      ],
      SOLE,
    ],
    ['a bare scalar is one instance', '7', '0.1', [[{ amount: 7 }, { p: 0.1 }]], SOLE],
    ['bare bytes are one instance', '{"b64": "eHk="}', '0.1', [[{ amount: 'xy' }, { p: 0.1 }]], SOLE],
    [
      'several tensors',
      '{"a": [[1], [2]], "b": ["x", null]}',
      '{"p": [0.1, 0.2], "q": [1, 2]}',
      [
        [
          { a: 1, b: 'x' },
          { p: 0.1, q: 1 },
        ],
        [
          { a: 2, b: null },
          { p: 0.2, q: 2 },
        ],
      ],
    ],
    [
      'columns that the signature lacks are ignored',
      '{"z": 5, "a": [1], "b": ["x"]}',
      '[0.1]',
      [[{ a: 1, b: 'x' }, { p: 0.1 }]],
      TWO,
    ],
    ['0th dimensions that differ', '{"a": [1, 2], "b": ["x"]}', '[0.1]', 'lengths_differ', TWO],
    ['a scalar beside a list', '{"a": [1, 2], "b": "x"}', '[0.1, 0.2]', 'lengths_differ', TWO],
    ['an output of another length', '[1, 2]', '{"p": [0.1, 0.2], "loss": 3}', 'lengths_differ', SOLE],
  ])('%s', (_, inputs, outputs, expected, known) => {
    expect(rows(exchange(`{"inputs": ${inputs}}`, `{"outputs": ${outputs}}`), known)).toEqual(expected);
  });
});

test('a call for another signature does not get the names of the known one', () => {
  const one = exchange('{"signature_name": "other", "instances": [1]}', '{"predictions": [0.1]}');
  expect(rows(one, SOLE)).toEqual([[{ input: 1 }, { output: 0.1 }]]);
});

test('classify: a score by its label, the event under its registered name, the best label', () => {
  const one = exchange(
    '{"context": {"region": ["eu"]}, "examples": [{"a": [1], "b": "x"}, {"a": 2.5}]}',
    '{"results": [[["0", 0.4], ["1", 0.6]], [["0", 0.9], ["1", NaN]]]}',
    to('classify'),
  );
  expect(rows(one, TWO)).toEqual([
    [
      { region: 'eu', a: 1, b: 'x' },
      { I_BAD: '1', P_BAD1: 0.6, 0: 0.4, 1: 0.6 },
    ],
    [
      { region: 'eu', a: 2.5 },
      { I_BAD: '0', P_BAD1: Number.NaN, 0: 0.9, 1: Number.NaN },
    ],
  ]);
  expect(rows(one)).toMatchObject([
    [{ a: 1 }, { label: '1', 0: 0.4, 1: 0.6 }],
    [{ a: 2.5 }, { label: '0' }],
  ]);
});

test('classify without labels: the position is the class; a class named label keeps its score', () => {
  const answer = '{"results": [[["", 0.4], ["", 0.6]], [["label", 0.7]]]}';
  expect(rows(exchange('{"examples": [{"a": 1}, {"a": 2}]}', answer, to('classify')), SOLE)).toEqual([
    [{ a: 1 }, { label: '1', P_BAD1: 0.6, 0: 0.4, 1: 0.6 }],
    [{ a: 2 }, { label: 0.7 }],
  ]);
});

test('regress: the value, also under its registered name', () => {
  const one = exchange('{"examples": [{"a": [1, 2]}, {"a": true}]}', '{"results": [0.25, -Infinity]}', to('regress'));
  expect(rows(one, SOLE)).toEqual([
    [{ a: '[1,2]' }, { P_BAD1: 0.25, value: 0.25 }],
    [{ a: true }, { P_BAD1: -Infinity, value: -Infinity }],
  ]);
  expect(rows(one)).toMatchObject([
    [{}, { value: 0.25 }],
    [{}, { value: -Infinity }],
  ]);
});

test('a record has what the head says, and its place in the exchange', () => {
  const split = splitExchange(
    exchange('{"instances": [1, 2]}', '{"predictions": [3, 4]}', { correlationId: 'r\0' }),
    undefined,
  );
  const { id: _, ...head } = { ...PREDICT_HEAD };
  const { model, version, versionSource, environment, time, latencyMs, status } = head;
  expect(split).toMatchObject({
    records: [
      { id: 'x-0', model, version, versionSource, environment, time, latencyMs, status, correlationId: 'r\uFFFD' },
      { id: 'x-1', inputs: { input: 2 }, outputs: { output: 4 } },
    ],
  });
});

describe('gzip', () => {
  const body = gzipSync('{"instances": [{"a": 1}]}');

  test.each(['gzip', 'GZIP', 'x-gzip', 'identity, gzip'])('%s is inflated', (requestEncoding) => {
    expect(rows(exchange(body, '{"predictions": [0.1]}', { requestEncoding }))).toEqual([[{ a: 1 }, { output: 0.1 }]]);
  });

  test('TensorFlow Serving reads any other encoding as it is', () => {
    const one = exchange('{"instances": [{"a": 1}]}', '{"predictions": [0.1]}', { requestEncoding: 'br' });
    expect(rows(one)).toEqual([[{ a: 1 }, { output: 0.1 }]]);
  });

  test('a bomb stays what it is', () => {
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024, 0x20));
    expect(splitExchange(exchange(bomb, '{}', { requestEncoding: 'gzip' }), undefined)).toEqual({
      reason: 'undecodable',
      as: 'quarantined',
    });
  });
});

test.each<['failed' | 'whole' | 'quarantined', string, Exchange]>([
  ['failed', 'client_aborted', exchange('{}', '{}', { outcome: 'client_aborted' })],
  ['failed', 'upstream_aborted', exchange('{}', '', { outcome: 'upstream_aborted', status: 0 })],
  ['failed', 'status_400', exchange('{"instances": [', '{"error": "JSON Parse error"}', { status: 400 })],
  ['failed', 'status_504', exchange('{}', '{}', { status: 504, truncated: true })],
  ['failed', 'status_404', exchange('', '<HTML>', { status: 404, target: '/v1/models/m/metadata' })],
  ['whole', 'truncated', exchange('{}', '{}', { truncated: true })],
  ['whole', 'withheld_request_encoding', exchange('', '{}', { redacted: { variables: ['a'], request: 'encoding' } })],
  ['whole', 'withheld_response_unnamed', exchange('{}', '', { redacted: { variables: [], response: 'unnamed' } })],
  ['whole', 'lengths_differ', exchange('{"instances": [1, 2]}', '{"predictions": [1]}')],
  ['whole', 'lengths_differ', exchange('{"examples": [{}]}', '{"results": []}', to('regress'))],
  ['quarantined', 'not_a_prediction', exchange('{}', '{}', { target: '/v1/models/m/metadata' })],
  ['quarantined', 'not_a_prediction', exchange('{}', '{}', { target: '/v1/models/m:predict?x=1' })],
  ['quarantined', 'time_unreadable', exchange('{}', '{}', { time: 'soon', status: 500 })],
  ['quarantined', 'request_unreadable', exchange('{"instances": [', '{}')],
  ['quarantined', 'request_unreadable', exchange('', '{}')],
  ['quarantined', 'undecodable', exchange('no gzip', '{}', { requestEncoding: 'gzip' })],
  ['quarantined', 'undecodable', exchange(gzipSync('{}').subarray(0, 12), '{}', { requestEncoding: 'gzip' })],
  ['quarantined', 'undecodable', exchange(Buffer.from([0x1b, 0x03]), '{}', { requestEncoding: 'br' })],
  ['quarantined', 'response_unreadable', exchange('{"instances": [1]}', '<html>')],
  ['quarantined', 'not_an_object', exchange('[1]', '{}')],
  ['quarantined', 'no_predictions', exchange('{"instances": [1]}', '{"error": "x"}')],
  ['quarantined', 'no_predictions', exchange('{"instances": [1]}', '{"outputs": [1]}')],
  ['quarantined', 'no_predictions', exchange('{"instances": {"a": 1}}', '{"predictions": [1]}')],
  ['quarantined', 'no_predictions', exchange('{"examples": 1}', '{"results": []}', to('classify'))],
])('%s: %s', (as, reason, one) => {
  expect(splitExchange(one, undefined)).toEqual({ reason, as });
});

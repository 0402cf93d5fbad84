import { gzipSync } from 'node:zlib';
import type { Exchange, ExchangeHead, ModelVersion } from '@fairway/core';
import { expect, test } from 'vitest';
import { PREDICT_HEAD } from './predict-head.ts';
import { splitExchange } from './split.ts';

const known = {
  signature: { name: 'serving_default', inputs: [{ name: 'x' }], outputs: [{ name: 'p' }] },
  target: { variable: 'BAD', event: '1', probability: 'P' },
} as unknown as ModelVersion;

type Body = string | Uint8Array;
const bytes = (body: Body): Uint8Array => (typeof body === 'string' ? Buffer.from(body) : body);
const views = (request: Body, response: Body, more: Partial<ExchangeHead>): unknown => {
  const exchange: Exchange = { head: { ...PREDICT_HEAD, ...more }, request: bytes(request), response: bytes(response) };
  const split = splitExchange(exchange, known);
  if ('reason' in split) return split.reason;
  return split.records.map(({ view }) => [JSON.parse(view.inputs), JSON.parse(view.outputs)]);
};
const verb = (name: string): Partial<ExchangeHead> => ({ target: `/v1/models/m:${name}` });
const version = (path: string): Partial<ExchangeHead> => ({ target: `/v1/models/m/${path}:predict` });

const ONE = [[{ x: 1 }, { p: 0.5 }]];
const ROW = '{"instances": [1]}';
const ANSWER = '{\n    "predictions": [0.5\n    ]\n}';

/** TensorFlow Serving's bodies, row by row of the capture reference. */
test.each<
  [section: string, what: string, request: Body, response: Body, expected: unknown, head?: Partial<ExchangeHead>]
>([
  ['2.1', 'version in the URL', ROW, ANSWER, ONE, version('versions/12')],
  ['2.1', 'label in the URL', ROW, ANSWER, ONE, version('labels/stable')],
  ['2.1', 'any case', ROW, ANSWER, ONE, { target: '/V1/MODELS/m:Predict' }],
  ['2.2', 'row form', ROW, ANSWER, ONE],
  ['2.2', 'row form, by name', '{"instances": [{"x": 1}]}', ANSWER, ONE],
  [
    '2.2',
    'row form, nested lists',
    '{"instances": [[[1, 2], [3, 4]]]}',
    ANSWER,
    [
      [
        {
          x: [
            [1, 2],
            [3, 4],
          ],
        },
        { p: 0.5 },
      ],
    ],
  ],
  ['2.2', 'columnar form', '{"inputs": [1]}', '{"outputs": [0.5]}', ONE],
  ['2.2', 'columnar form, by name, more keys', '{"inputs": {"x": [1], "y": "z"}}', '{"outputs": [0.5]}', ONE],
  ['2.2', 'columnar form, object of outputs', '{"inputs": [1]}', '{"outputs": {"p": [0.5]}}', ONE],
  ['2.2', 'empty signature name', '{"signature_name": "", "instances": [1]}', ANSWER, ONE],
  ['2.2', 'more outputs than inputs', ROW, '{"predictions": [0.5, 0.6]}', 'lengths_differ'],
  [
    '2.2',
    'classify',
    '{"examples": [{"x": 1}]}',
    '{"results": [[["0", 0.2], ["1", 0.8]]]}',
    [[{ x: 1 }, { label: '1', P: 0.8, 0: 0.2, 1: 0.8 }]],
    verb('classify'),
  ],
  [
    '2.2',
    'the key that the format block names',
    '{"examples": [{"x": 1}]}',
    '{"result": [0.5]}',
    'no_predictions',
    verb('regress'),
  ],
  [
    '2.2',
    'regress with context',
    '{"context": {"c": "k"}, "examples": [{"x": [1]}]}',
    '{"results": [0.5]}',
    [
      [
        { c: 'k', x: 1 },
        { P: 0.5, value: 0.5 },
      ],
    ],
    verb('regress'),
  ],
  ['2.3', 'a float out', ROW, '{"predictions": [1.0]}', [[{ x: 1 }, { p: 1 }]]],
  ['2.3', 'exponent form out', ROW, '{"predictions": [1e-07]}', [[{ x: 1 }, { p: 1e-7 }]]],
  [
    '2.3',
    'uint64 out',
    ROW,
    '{"predictions": [18446744073709551615]}',
    [[{ x: 1 }, { p: { $: 'int64', value: '18446744073709551615' } }]],
  ],
  [
    '2.3',
    'NaN in and out',
    '{"instances": [NaN]}',
    '{"predictions": [NaN]}',
    [[{ x: { $: 'NaN' } }, { p: { $: 'NaN' } }]],
  ],
  [
    '2.3',
    'infinities',
    '{"instances": [Inf]}',
    '{"predictions": [-Infinity]}',
    [[{ x: { $: 'Infinity' } }, { p: { $: '-Infinity' } }]],
  ],
  [
    '2.3',
    'bytes in, bytes out',
    '{"instances": [{"b64": "aGk="}]}',
    '{"predictions": [{"b64": "/w=="}]}',
    [[{ x: { $: 'bytes', value: 'hi' } }, { p: { $: 'base64', value: '/w==' } }]],
  ],
  [
    '2.3',
    'raw text out that is no UTF-8',
    ROW,
    Buffer.from('{"predictions": ["\xff"]}', 'latin1'),
    [[{ x: 1 }, { p: '\uFFFD', $: ['sanitised'] }]],
  ],
  ['2.3', 'duplicate keys: the first', '{"instances": [1], "instances": [2, 3]}', ANSWER, ONE],
  ['2.3', 'trailing bytes', `${ROW} ]]\0`, ANSWER, ONE],
  ['2.3', 'byte-order mark', `\uFEFF${ROW}`, ANSWER, ONE],
  ['2.3', 'root that is no object', '[1]', ANSWER, 'not_an_object'],
  ['2.3', 'empty body', '', '{"error": "JSON Parse error: The document is empty"}', 'status_400', { status: 400 }],
  [
    '2.4',
    'an error',
    '{"instances": ["x"]}',
    '{"error": "JSON Value: \\"x\\" Type: String"}',
    'status_400',
    { status: 400 },
  ],
  ['2.4', 'an error without a body', ROW, '', 'status_503', { status: 503 }],
  ['2.4', 'time out', ROW, '', 'upstream_aborted', { status: 0, outcome: 'upstream_aborted' }],
  ['2.4', 'gzip', gzipSync(ROW), ANSWER, ONE, { requestEncoding: 'gzip' }],
  [
    '2.4',
    'a bad gzip stream is an empty body',
    'x',
    '{"error": "empty"}',
    'status_400',
    { status: 400, requestEncoding: 'gzip' },
  ],
])('§%s %s', (_, _what, request, response, expected, more = {}) => {
  expect(views(request, response, more)).toEqual(expected);
});

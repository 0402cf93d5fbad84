import type { Exchange } from '@fairway/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PREDICT_HEAD } from './predict-head.ts';
import type { SplitRecord } from './rows-record.ts';
import { splitExchange } from './split.ts';

const exchange = (request: Uint8Array, response: string): Exchange => ({
  head: PREDICT_HEAD,
  request,
  response: Buffer.from(response),
});

/** Records of row-form instances, given as JSON text or bytes. */
function records(...instances: readonly (string | Uint8Array)[]): readonly SplitRecord[] {
  const parts = instances.flatMap((one, index) => [Buffer.from(index === 0 ? '' : ','), Buffer.from(one)]);
  const request = Buffer.concat([Buffer.from('{"instances":['), ...parts, Buffer.from(']}')]);
  const split = splitExchange(exchange(request, JSON.stringify({ predictions: instances.map(() => 1) })), undefined);
  return 'records' in split ? split.records : [];
}
const view = (cell: string | Uint8Array): unknown =>
  JSON.parse(
    records(Buffer.concat([Buffer.from('{"a":'), Buffer.from(cell), Buffer.from('}')]))[0]?.view.inputs ?? '0',
  );

const REPLACED = { $: ['sanitised'] };
const LONG = 'y'.repeat(70_000);

/** Capture reference §7, and what a cell can be besides. */
test.each<[what: string, cell: string | Uint8Array, seen: object]>([
  ['a number', '1.50', { a: 1.5 }],
  ['a spelling', '1.0', { a: 1 }],
  ['minus zero', '-0', { a: 0 }],
  ['null', 'null', { a: null }],
  ['a boolean', 'true', { a: true }],
  ['text', '"NaN"', { a: 'NaN' }],
  ['text like a tag', '"{\\"$\\":\\"NaN\\"}"', { a: '{"$":"NaN"}' }],
  ['NaN', 'NaN', { a: { $: 'NaN' } }],
  ['infinity', '-Infinity', { a: { $: '-Infinity' } }],
  ['the short infinity', 'Inf', { a: { $: 'Infinity' } }],
  ['an overflow', '1e400', { a: { $: 'Infinity' } }],
  ['int64', '9007199254740993', { a: { $: 'int64', value: '9007199254740993' } }],
  ['the least int64', '-9223372036854775808', { a: { $: 'int64', value: '-9223372036854775808' } }],
  ['a 20-digit decimal', '0.12345678901234567890', { a: 0.123_456_789_012_345_68 }],
  ['bytes that are text', '{"b64":"T2ZmaWNl"}', { a: { $: 'bytes', value: 'Office' } }],
  ['bytes that are none', '{"b64":"/w=="}', { a: { $: 'base64', value: '/w==' } }],
  ['bytes with NUL', '{"b64":"AA=="}', { a: { $: 'bytes', value: '\uFFFD' }, ...REPLACED }],
  ['a tensor', '[1, NaN, [9007199254740993]]', { a: [1, { $: 'NaN' }, [{ $: 'int64', value: '9007199254740993' }]] }],
  ['one element in brackets', '[[[7]]]', { a: 7 }],
  ['no element', '[]', { a: [] }],
  ['an object', '{"b": NaN}', { a: { $: 'object', value: { b: { $: 'NaN' } } } }],
  ['an object like a tag', '{"$": "NaN"}', { a: { $: 'object', value: { $: 'NaN' } } }],
  ['escaped NUL', '"a\\u0000"', { a: 'a\uFFFD', ...REPLACED }],
  ['raw NUL', '"a\0"', { a: 'a\uFFFD', ...REPLACED }],
  ['a lone surrogate', '"\\ud800"', { a: '\uFFFD', ...REPLACED }],
  ['invalid UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), { a: '\uFFFD(', ...REPLACED }],
  ['U+FFFD of the caller', '"\uFFFD"', { a: '\uFFFD' }],
  ['long text', `"${LONG}"`, { a: { $: 'truncated', value: LONG.slice(0, 1024) }, $: ['truncated'] }],
  [
    'a large tensor',
    `[${'1,'.repeat(40_000)}1]`,
    { a: { $: 'truncated', value: `[${'1,'.repeat(512)}`.slice(0, 1024) }, $: ['truncated'] },
  ],
  ['depth', `${'['.repeat(500)}1${']'.repeat(500)}`, { a: { $: 'too_deep' }, $: ['truncated'] }],
])('%s', (_, cell, seen) => {
  expect(view(cell)).toEqual(seen);
});

test('absent is absent', () => {
  expect(records('{}')[0]?.view.inputs).toBe('{}');
});

test('names beginning with a dollar make room for the flags', () => {
  const [record] = records('{"$": 1, "$a": "\\u0000"}');
  expect(JSON.parse(record?.view.inputs ?? '')).toEqual({ $$: 1, $$a: '\uFFFD', $: ['sanitised'] });
  expect(record?.inputs).toEqual({ $: 1, $a: '\uFFFD' });
});

test('one bad instance costs its neighbours nothing', () => {
  const deep = `${'[{"x":'.repeat(200)}0${'}]'.repeat(200)}`;
  const all = records('{"a": 1}', `{"a": ${deep}}`, '{"a": "\\ud800"}', '{"a": "x"}');
  expect(all.map(({ view }) => view.inputs)).toEqual([
    '{"a":1}',
    expect.stringMatching(/"too_deep".*,"\$":\["truncated"\]}$/),
    '{"a":"\uFFFD","$":["sanitised"]}',
    '{"a":"x"}',
  ]);
});

describe('whatever comes', () => {
  const cell = fc.oneof(
    fc.constantFrom(
      'NaN',
      '-Inf',
      '1e999',
      '18446744073709551615',
      '"\\ud83d"',
      '"\\u0000"',
      '{"b64":"8J+Y"}',
      '{"__proto__":1}',
      '-0',
    ),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.json({ maxDepth: 3 }),
  );
  const name = fc.oneof(
    fc.constantFrom('a', '$', '$a', '__proto__', 'toString', '\\u0000'),
    fc.string({ unit: 'grapheme-ascii' }).map((text) => JSON.stringify(text).slice(1, -1)),
  );

  test('the view is JSON that PostgreSQL takes, with one member for each value', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, cell), { selector: ([key]) => key, maxLength: 6 }), (members) => {
        const [record] = records(`{${members.map(([key, item]) => `"${key}":${item}`).join()}}`);
        const { inputs } = (record as SplitRecord).view;
        // oxlint-disable-next-line no-control-regex -- NUL is what json refuses to turn into text
        expect(inputs).not.toMatch(/\\u0000|\\ud[89a-f]|\0|\p{Surrogate}/u);
        const { $: flags, ...seen } = JSON.parse(inputs) as Record<string, unknown>;
        expect(Object.keys(seen)).toHaveLength(Object.keys((record as SplitRecord).inputs).length);
        expect(flags === undefined || Array.isArray(flags)).toBe(true);
      }),
      { numRuns: 1000, seed: 21 },
    );
  });

  test('nothing is thrown', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom('predict', 'classify', 'regress'),
        (bytes, verb) => {
          for (const body of [bytes, Buffer.concat([Buffer.from('{"instances":['), bytes])]) {
            const split = splitExchange(
              { head: { ...PREDICT_HEAD, target: `/v1/models/m:${verb}` }, request: body, response: bytes },
              undefined,
            );
            expect('records' in split || split.reason !== '').toBe(true);
          }
        },
      ),
      { numRuns: 1000, seed: 22 },
    );
  });
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJson } from './read-json.ts';

test.each([
  ['{"a": NaN, "b": -Infinity, "c": Inf}', { a: Number.NaN, b: Number.NEGATIVE_INFINITY, c: Number.POSITIVE_INFINITY }],
  ['9007199254740993', 9007199254740993n],
  ['[9007199254740991, -9223372036854775808, 1.5e3, -0]', [9007199254740991, -9223372036854775808n, 1500, -0]],
  ['{"a": 1, "a": 2}', { a: 1 }],
  ['{"a": 1} and what follows', { a: 1 }],
  ['\uFEFF{"a": []}', { a: [] }],
  ['"\\u0000 \\ud800 \\ud83d\\ude00 \\n \\/"', '\uFFFD \uFFFD 😀 \n /'],
  ['{"__proto__": {"x": 1}}', JSON.parse('{"__proto__": {"x": 1}}')],
])('reads %s', (text, expected) => {
  expect(readJson(text)).toEqual(expected);
});

test.each(['', '{', '{"a" 1}', '[1 2]', '"open', 'nul', "{'a': 1}", '[1,]', '{"a": 1,}'])('refuses %j', (text) => {
  expect(() => readJson(text)).toThrow(SyntaxError);
});

test('is not led into the depths', () => {
  expect(() => readJson('['.repeat(100_000))).toThrow(/nested deeper/);
});

test('agrees with JSON.parse on plain JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = JSON.stringify(value);
      if (/[\0\uD800-\uDFFF]|\\u/.test(text) || /\d{16}/.test(text)) return;
      expect(readJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

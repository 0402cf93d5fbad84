import { expect, test } from 'vitest';
import { type Json, JsonNumber, parseJson, quoted } from './json.ts';

const whole = (value: number) => new JsonNumber(value, true);
const real = (value: number) => new JsonNumber(value, false);

test.each<[string, Json]>([
  ['1', whole(1)],
  ['-0', whole(-0)],
  ['1.0', real(1)],
  ['1e3', real(1000)],
  ['-2.5E-1', real(-0.25)],
  ['NaN', real(Number.NaN)],
  ['Infinity', real(Number.POSITIVE_INFINITY)],
  ['-Infinity', real(Number.NEGATIVE_INFINITY)],
  ['-Inf', real(Number.NEGATIVE_INFINITY)],
  ['null', null],
  ['[true, false]', [true, false]],
  ['"a\\u00e9\\n\\"\\\\"', 'aé\n"\\'],
  [
    '  {"a": [ ], "b" : {}} trailing bytes',
    new Map<string, Json>([
      ['a', []],
      ['b', new Map()],
    ]),
  ],
  ['{"a":1,"a":2}', new Map([['a', whole(1)]])],
  ['\uFEFF[1]', [whole(1)]],
])('%j', (text, json) => {
  expect(parseJson(text)).toEqual(json);
});

test.each([
  ['', 'JSON Parse error: The document is empty'],
  [' \n', 'JSON Parse error: The document is empty'],
  ['nul', 'JSON Parse error: Invalid value. at offset: 0'],
  ['[01]', 'JSON Parse error: Missing a comma or ] after an array element. at offset: 2'],
  ['[.5]', 'JSON Parse error: Invalid value. at offset: 1'],
  ['[1,]', 'JSON Parse error: Invalid value. at offset: 3'],
  ['{"a" 1}', 'JSON Parse error: Missing a colon after a name of object member. at offset: 5'],
  ['{"a":1 "b":2}', 'JSON Parse error: Missing a comma or } after an object member. at offset: 7'],
  ['{a:1}', 'JSON Parse error: Missing a name for object member. at offset: 1'],
  ['"abc', 'JSON Parse error: Missing a closing quotation mark in string. at offset: 0'],
  ['"\\x"', 'JSON Parse error: Invalid escape character in string. at offset: 0'],
  ['"a\nb"', 'JSON Parse error: Invalid encoding in string. at offset: 0'],
])('%j is refused', (text, message) => {
  expect(() => parseJson(text)).toThrow(message);
});

test('a hostile depth is refused instead of overflowing the stack', () => {
  expect(() => parseJson('['.repeat(1_000_000))).toThrow('Nested deeper than 256 levels');
});

test('a quoted value is cut after 256 characters', () => {
  expect(quoted(parseJson('{"a":[1,null,"x"]}'))).toBe('{"a": [1, null, "x"]}');
  expect(quoted('y'.repeat(1000))).toHaveLength(259);
});

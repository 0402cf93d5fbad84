import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Look } from './look.ts';
import { placeOf } from './viewed.ts';

const BETWEEN = ['{"a": [', '], "b": ', '}'];
/** The values of a text that looks so, found as they lie in other bytes; undefined where it does not. */
function found(text: string, between = BETWEEN): string[] | undefined {
  const look = new Look(between);
  const bytes = Buffer.from(`0${text}0}`, 'latin1');
  if (!look.matches({ ...placeOf(bytes), from: 1, to: bytes.length - 2 })) return undefined;
  return Array.from(look.starts, (start, value) => bytes.toString('latin1', start, look.ends[value]));
}

test.each([
  ['1', '-0.5e+07'],
  ['"', '""'],
  ['""', '" !#[]~{}"'],
  ['null', 'true'],
  ['false', '0'],
  ['01', '1'],
  ['1.', '1'],
  ['.5', '1'],
  ['1e', '1'],
  ['-', '1'],
  ['nul', '1'],
  ['nulL', '1'],
  ['"\\n"', '1'],
  ['"\u007f"', '1'],
  ['"\u00e4"', '1'],
  ['1', ''],
  ['1', '"'],
  ['1 ', '1'],
])('values are ASCII without escapes, and numbers as JSON writes them: %j and %j', (a, b) => {
  const isValue = (text: string) =>
    /^(?:"[ !#-[\]-~]*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|null|true|false)$/.test(text);
  expect(found(`{"a": [${a}], "b": ${b}}`)).toEqual(isValue(a) && isValue(b) ? [a, b] : undefined);
});

test.each([
  '',
  '{"a": [1], "b": 2',
  '{"a": [1], "b": 2} ',
  '{"a": [1], "c": 2}',
  '{"a": [1],  "b": 2}',
  '{"a": [1, 2], "b": 2}',
])('%j looks otherwise', (text) => {
  expect(found(text)).toBeUndefined();
});

test('a look without values is one text', () => {
  expect(found('{}', ['{}'])).toEqual([]);
  expect(found('{ }', ['{}'])).toBeUndefined();
});

test('whatever is cut off or changed is no longer taken for it, unless a pattern would', () => {
  const text = '{"a": [-12.5], "b": "Office"}';
  const pattern =
    /^\{"a": \[("[ !#-[\]-~]*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|null|true|false)\], "b": ("[ !#-[\]-~]*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|null|true|false)\}$/;
  const change = fc.tuple(fc.nat(text.length), fc.nat(3), fc.string({ unit: 'binary-ascii', maxLength: 3 }));
  fc.assert(
    fc.property(change, ([at, cut, put]) => {
      const changed = text.slice(0, at) + put + text.slice(at + cut);
      expect(found(changed)).toEqual(pattern.exec(changed)?.slice(1));
    }),
    { numRuns: 2000, seed: 7 },
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from './canonical.ts';

test('keys are sorted at every depth and the order of making does not matter', () => {
  expect(canonicalJson({ b: [{ z: 1, a: 2 }], a: undefined, c: null })).toBe('{"b":[{"a":2,"z":1}],"c":null}');
});

test('it reads back as the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('what JSON cannot hold is refused instead of changed', () => {
  expect(() => canonicalJson({ a: Number.NaN })).toThrow('NaN has no JSON form');
  expect(() => canonicalJson([undefined])).toThrow('undefined has no JSON form');
});

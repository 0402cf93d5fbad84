import protobuf from 'protobufjs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eachField, MAX_MESSAGE_DEPTH, readVarint } from '@fairway/core';

const read = (...bytes: number[]) => {
  const seen: Array<readonly number[]> = [];
  eachField(Uint8Array.from(bytes), 0, bytes.length, (...field) => void seen.push(field));
  return seen;
};

test('64-bit numbers are read as protobufjs writes them, negative ones too', () => {
  const exact = fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom(-1, 0, 1, -(2 ** 53), 2 ** 53, 2 ** 31, 2 ** 32, 2 ** 35 - 1, -(2 ** 31)),
  );
  fc.assert(
    fc.property(exact, (value) => {
      const bytes = protobuf.Writer.create().int64(value).finish();
      const cursor = { at: 0 };
      expect(readVarint(bytes, cursor, bytes.length)).toBe(value);
      expect(cursor.at).toBe(bytes.length);
    }),
  );
});

test('fields of every wire type are told, with the place of their bytes; groups are passed over', () => {
  const fields = read(
    0x08,
    0x96,
    0x01,
    0x12,
    2,
    7,
    7,
    0x1d,
    1,
    2,
    3,
    4,
    0x21,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    0x2b,
    0x08,
    1,
    0x2c,
    0x30,
    1,
  );
  expect(fields).toEqual([
    [1, 0, 150, 3],
    [2, 2, 5, 7],
    [3, 5, 8, 12],
    [4, 1, 13, 21],
    [6, 0, 1, 27],
  ]);
});

test.each<[string, number[], RegExp]>([
  ['a length of 2 GiB', [0x12, 0xff, 0xff, 0xff, 0xff, 0x07, 1], /names 2147483647 bytes where 1 are left/],
  ['a negative length', [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], /names -1 bytes/],
  ['a number without an end', [0x08, 0xff, 0xff], /ends in the middle of a number/],
  ['a number of eleven bytes', [0x08, ...Array<number>(10).fill(0xff), 1], /more than 10 bytes/],
  ['field 0', [0x00, 1], /field of number 0/],
  ['a fixed number that is cut', [0x09, 1, 2, 3], /names 8 bytes where 3 are left/],
  ['wire type 7', [0x0f], /wire type 7/],
  ['a group without an end', [0x0b, 0x08, 1], /ends inside a group/],
  ['the end of no group', [0x0c], /ends a group/],
  ['groups in groups', Array<number>(MAX_MESSAGE_DEPTH + 1).fill(0x0b), /nested deeper than 100/],
])('%s is refused', (_, bytes, message) => {
  expect(() => read(...bytes)).toThrow(message);
});

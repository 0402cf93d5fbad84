import { expect, test } from 'vitest';
import { Pieces } from './pieces.ts';

const KIB = 1024;

test('a piece is used again where it fits, and is not much too large', () => {
  const pieces = new Pieces();
  const first = pieces.take(30 * KIB);
  expect(first.length).toBeGreaterThanOrEqual(30 * KIB);
  expect(pieces.take(30 * KIB).buffer).not.toBe(first.buffer);
  pieces.give(first.subarray(0, 100));
  expect(pieces.take(first.length + 1).buffer).not.toBe(first.buffer);
  expect(pieces.take(1).buffer).not.toBe(first.buffer);
  const again = pieces.take(20 * KIB);
  expect([again.buffer === first.buffer, again.length]).toEqual([true, first.length]);
  expect(pieces.take(20 * KIB).buffer).not.toBe(first.buffer);
});

test('no more is kept for later than a few packs need', () => {
  const pieces = new Pieces();
  const taken = Array.from({ length: 12 }, () => pieces.take(512 * KIB));
  for (const piece of taken) pieces.give(piece);
  const known = new Set(taken.map(({ buffer }) => buffer));
  const again = Array.from({ length: 12 }, () => pieces.take(512 * KIB));
  expect(again.filter(({ buffer }) => known.has(buffer))).toHaveLength(8);
});

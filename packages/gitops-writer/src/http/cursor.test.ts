import { expect, it } from 'vitest';
import { fromCursor, toCursor } from './cursor.ts';

it('comes back as it went', () => {
  for (const place of ['1', '42', '123456789012345678']) expect(fromCursor(toCursor(place))).toBe(place);
});

it.each([
  '',
  'x',
  '42',
  '1:42',
  toCursor('x'),
  toCursor(''),
  `${toCursor('42')}=`,
  `${toCursor('42')}!`,
  'a'.repeat(100),
])('refuses %j in a sentence', (cursor) => {
  expect(() => fromCursor(cursor)).toThrow(/cursor: is not one of this list; take "next"/);
});

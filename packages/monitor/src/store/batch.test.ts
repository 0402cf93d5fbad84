import { expect, test } from 'vitest';
import { textArray } from './batch.ts';

test('texts of an array are quoted, so that none is taken for the end of its text or for nothing', () => {
  expect(textArray(['plain', 'a,b', 'q"u', String.raw`back\slash`, '', 'NULL', '{x}'])).toBe(
    String.raw`{"plain","a,b","q\"u","back\\slash","","NULL","{x}"}`,
  );
  expect(textArray([])).toBe('{}');
});

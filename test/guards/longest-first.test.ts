import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FIRST } from '../harness/longest-first.ts';
import { ROOT } from './source.ts';

test('what is to run first is there', () => {
  const files = readdirSync(`${ROOT}/test`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file.replaceAll('\\', '/')}`);
  expect(FIRST.filter((start) => !files.some((file) => file.startsWith(start)))).toEqual([]);
});

import { expect, it } from 'vitest';
import { etags } from './etags.ts';

const entry = (text: string) => ({ etag: '"1"', text, headers: {} });

it('keeps what was used last, within its bytes', () => {
  const cache = etags(10_000);
  for (const name of ['a', 'b', 'c']) cache.put(name, entry(name.repeat(1_000)));
  expect(cache.get('a')?.text).toHaveLength(1_000);
  cache.put('d', entry('d'.repeat(1_000)));
  expect(['a', 'b', 'c', 'd'].map((name) => cache.get(name) !== undefined)).toEqual([true, false, true, true]);
});

it('counts a replaced entry once and refuses what is too large', () => {
  const cache = etags(5_000);
  for (let i = 0; i < 10; i++) cache.put('a', entry('a'.repeat(1_000)));
  cache.put('b', entry('b'.repeat(300)));
  expect(cache.get('a')).toBeDefined();
  cache.put('c', entry('c'.repeat(5_000)));
  expect(cache.get('c')).toBeUndefined();
  expect(cache.get('b')).toBeDefined();
});

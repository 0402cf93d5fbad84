import { expect, it } from 'vitest';
import { choose } from './choice.ts';
import { clipped, isMarked, messageParts, reviewersOf, sameText } from './words.ts';

it.each([
  ['a\r\nb\r\n', 'a\nb', true],
  ['  a', 'a', true],
  ['a\n\nb', 'a\nb', false],
])('%j and %j', (a, b, same) => expect(sameText(a, b)).toBe(same));

it.each([
  ['Title', { title: 'Title' }],
  ['Title\n\nText\n\nTrailer: 1\n', { title: 'Title', body: 'Text\n\nTrailer: 1' }],
  ['\n', {}],
  ['', {}],
])('the parts of %j', (message, parts) => expect(messageParts(message)).toEqual(parts));

it.each([
  ['short', 5, 'short'],
  ['longer', 5, 'long…'],
  ['ab😀cd', 4, 'ab…'],
])('%j clipped to %i', (text, limit, expected) => expect(clipped(text, limit)).toBe(expected));

it.each([
  ['Live.\n\n<!-- m -->', true],
  ['Live.\r\n\r\n<!-- m -->\r\n', true],
  ['> Live.\n>\n> <!-- m -->\n\nI do not agree.', false],
  ['> Live.\n>\n> <!-- m -->', false],
  ['It says <!-- m -->', false],
])('%j is a comment of ours: %s', (text, ours) => expect(isMarked(text, '<!-- m -->')).toBe(ours));

it('tells teams from people', () => {
  expect(reviewersOf(['ann', 'team:risk', 'bob'])).toEqual({ users: ['ann', 'bob'], teams: ['risk'] });
});

it('chooses the open one, else the merged one, else the newest', () => {
  const of = (number: number, state: 'open' | 'closed' | 'merged') =>
    ({ number, state, url: '', headSha: '', branch: 'b', title: '', body: '', standing: { kind: 'unknown' } }) as const;
  expect(choose([of(1, 'closed'), of(2, 'open'), of(3, 'merged')])?.number).toBe(2);
  expect(choose([of(1, 'merged'), of(3, 'closed'), of(2, 'closed')])?.number).toBe(1);
  expect(choose([of(1, 'closed'), of(3, 'closed'), of(2, 'closed')])?.number).toBe(3);
  expect(choose([])).toBeUndefined();
});

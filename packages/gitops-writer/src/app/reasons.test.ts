import { FairwayError } from '@fairway/core';
import { expect, it } from 'vitest';
import { everyReason } from './reasons.ts';

const invalid = (message: string, problems?: unknown) =>
  new FairwayError('model.invalid', message, problems === undefined ? {} : { detail: { problems } });

it.each([
  ['It is broken.', undefined, 'It is broken.'],
  [
    'It does not fit: a is missing; b is missing.',
    ['a is missing', 'b is missing'],
    'It does not fit: a is missing; b is missing.',
  ],
  [
    'It has 2 problems.',
    ['a is missing.', 'b is missing'],
    'It has 2 problems. All of it: a is missing; b is missing.',
  ],
  [
    'It does not fit: a is missing and more.',
    ['a is missing', 'b is missing'],
    'It does not fit: a is missing and more. All of it: b is missing.',
  ],
  ['It is broken.', 'no list', 'It is broken.'],
])('%s with %j', (message, problems, all) => {
  expect(everyReason(invalid(message, problems))).toBe(all);
});

it('stays readable whatever there is to say', () => {
  const problems = Array.from({ length: 5_000 }, (_, i) => `input V${i} is missing`);
  const all = everyReason(invalid('It does not fit.', problems));
  expect(all.length).toBeLessThan(8_100);
  expect(all).toContain('5000 reasons, cut here');
});

import { expect, test } from 'vitest';
import { cardsText } from './summary.ts';

const card = { event: 'live', title: 'live', valid: true, at: '' };

test.each([
  [8, 0, '8 cards'],
  [1, 0, 'one card'],
  [7, 1, '7 cards and one more under way'],
  [6, 2, '6 cards and 2 more under way'],
])('%d told, %d waiting', (told, cardsUnderWay, text) => {
  expect(cardsText({ cards: Array.from({ length: told }, () => card), cardsUnderWay })).toBe(text);
});

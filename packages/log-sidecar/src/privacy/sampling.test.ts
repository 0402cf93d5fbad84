import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { isSampled } from './sampling.ts';

const IDS = Array.from({ length: 5000 }, (_, i) => createHash('sha256').update(`id ${i}`).digest('hex').slice(0, 32));
const sample = (probability: number) => IDS.filter((id) => isSampled(id, probability));

test.each([0.001, 0.1, 0.5, 0.9])('a sample of %s has about that share, always the same', (probability) => {
  const spread = Math.sqrt(IDS.length * probability * (1 - probability));
  expect(Math.abs(sample(probability).length - IDS.length * probability)).toBeLessThan(5 * spread);
  expect(sample(probability)).toEqual(sample(probability));
});

test('none, all, and each sample within the larger one', () => {
  expect(sample(0)).toEqual([]);
  expect(sample(1)).toEqual(IDS);
  const larger = new Set(sample(0.3));
  expect(sample(0.1).every((id) => larger.has(id))).toBe(true);
});

test('the decision is a part of the record: it never changes', () => {
  expect(['a', 'b', 'c', 'd', 'e', 'f'].filter((id) => isSampled(id, 0.2))).toEqual(['c', 'd', 'f']);
});

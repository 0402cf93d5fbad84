import { expect, test } from 'vitest';
import { kolmogorovTail, twoSample } from './two-sample.ts';

const of = (...values: number[]) => Float64Array.from(values);

test('two samples, by hand: 1 2 3 4 against 3 4 5 5', () => {
  const found = twoSample(of(1, 2, 3, 4), of(3, 4, 5, 5));
  // after 2: 2/4 against 0; after 4: 4/4 against 2/4
  expect(found?.ks).toBe(0.5);
  // 1/4 from 1 to 2, then 1/2 from 2 to 3, 1/2 to 4, 1/2 to 5
  expect(found?.wasserstein).toBe(1.75);
  expect(twoSample(of(1, 1, 2), of(1, 1, 2))).toEqual({ ks: 0, p: 1, wasserstein: 0 });
  expect(twoSample(of(), of(1))).toBeNull();
});

// Smirnov's table; the published figures of the public data (LOAN and YOJ, first quarter) to ten digits.
test.each([
  [1.36, 0.0494858, 6],
  [0.5, 0.9639452436, 9],
  [1.0, 0.2699996717, 9],
  [Math.sqrt((4904 * 5445) / (4904 + 5445)) * 0.03163231754, 0.01144357542, 9],
])('P(K > %d)', (lambda, p, digits) => {
  expect(kolmogorovTail(lambda)).toBeCloseTo(p, digits);
});

test('both series meet', () => {
  expect(kolmogorovTail(1.18 - 1e-9)).toBeCloseTo(kolmogorovTail(1.18 + 1e-9), 8);
});

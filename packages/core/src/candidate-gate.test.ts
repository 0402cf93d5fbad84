import { expect, test } from 'vitest';
import { pairedAccuracy, pairedErrors, pairedInterval, passesGate } from './candidate-gate.ts';

const paired = (difference: number, standardError: number | null) => ({
  first: 0.8,
  second: 0.8 + difference,
  difference,
  standardError,
});

test.each([
  ['the margin alone', paired(0.01, 0.02), 0.01, undefined, true],
  ['less than the margin, however sure', paired(0.009, 0.0001), 0.01, 1.96, false],
  ['the margin, and beyond chance', paired(0.05, 0.02), 0.01, 1.96, true],
  ['the margin, within chance', paired(0.05, 0.03), 0.01, 1.96, false],
  ['no worse than the margin, and surely so', paired(-0.01, 0.004), -0.02, 1.96, true],
  ['no worse than the margin, perhaps', paired(-0.01, 0.006), -0.02, 1.96, false],
  ['evidence asked for that the rows cannot give', paired(0.5, null), 0.01, 1.96, false],
  ['one class', null, 0, undefined, false],
])('%s', (_what, found, margin, z, passes) => {
  expect(passesGate(found, { margin, z })).toBe(passes);
});

test('mean absolute errors of two models on the same rows, worked by hand as in the Python contract', () => {
  // Errors 2, 4, 6 against 1, 1, 4: gaps 1, 3, 2, which are 1/4, 3/4, 1/2 of the first model's mean of 4.
  const found = pairedErrors([12, 16, 36], [11, 21, 26], [10, 20, 30]);
  expect(found).toEqual({
    first: 4,
    second: 2,
    difference: 0.5,
    standardError: expect.closeTo(Math.sqrt(0.0625 / 3), 14),
  });
  expect(passesGate(found, { margin: 0.02, z: 1.96 })).toBe(true);
  const worse = pairedErrors([11, 21, 26], [12, 16, 36], [10, 20, 30]);
  expect(worse?.difference).toBe(-1);
  expect(passesGate(worse, { margin: 0, z: undefined })).toBe(false);
  expect(pairedErrors([1], [2], [3])?.standardError).toBeNull();
});

test.each([
  ['no rows', [], [], []],
  ['a champion that is never wrong', [1, 2], [1, 2], [1, 2]],
  ['a prediction that is no number', [1, Number.NaN], [1, 2], [2, 3]],
  ['a candidate that says infinity', [1, 1], [1, Number.POSITIVE_INFINITY], [2, 3]],
  ['fewer predictions than rows', [1, 1], [1], [2, 3]],
])('errors that tell nothing: %s', (_what, first, second, observed) => {
  expect(pairedErrors(first, second, observed)).toBeNull();
});

test('accuracies of two models: only rows on which they differ say how sure the difference is', () => {
  // Right: 1 1 0 0 against 1 1 1 0. Gaps 0 0 1 0: mean 1/4, variance 1/4.
  const found = pairedAccuracy(['a', 'b', 'a', 'a'], ['a', 'b', 'c', 'a'], ['a', 'b', 'c', 'c']);
  expect(found).toEqual({ first: 0.5, second: 0.75, difference: 0.25, standardError: 0.25 });
  expect(pairedInterval(found)).toEqual([expect.closeTo(0.25 - 0.489991, 6), expect.closeTo(0.25 + 0.489991, 6)]);
  expect(passesGate(found, { margin: 0.1, z: 1.96 })).toBe(false);
  expect(pairedAccuracy([], [], [])).toBeNull();
  expect(pairedInterval(null)).toBeNull();
});

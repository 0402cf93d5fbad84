import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pairedAuc } from './paired-auc.ts';
import { auc, groupScores } from './ranking.ts';

/** The definition, pair by pair. */
function byPairs(first: readonly number[], second: readonly number[], labels: readonly number[]) {
  const rows = labels.map((label, row) => ({ label, a: first[row] as number, b: second[row] as number }));
  const [events, others] = [rows.filter(({ label }) => label === 1), rows.filter(({ label }) => label !== 1)];
  const won = (x: number, y: number) => (x > y ? 1 : x === y ? 0.5 : 0);
  const gap = (x: (typeof rows)[number], y: (typeof rows)[number]) => won(x.b, y.b) - won(x.a, y.a);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = (values: number[]) =>
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1);
  const v10 = events.map((x) => mean(others.map((y) => gap(x, y))));
  const v01 = others.map((y) => mean(events.map((x) => gap(x, y))));
  return { difference: mean(v10), standardError: Math.sqrt(variance(v10) / v10.length + variance(v01) / v01.length) };
}

test('six rows, worked by hand', () => {
  // Placements of the events: 1, 1, 2/3 against 1, 1/2, 1/2; of the others: 2/3, 1, 1 against 2/3, 1/3, 1.
  // The gaps' variances are 7/108 and 16/108, so that of the difference is (7 + 16) / 324.
  const labels = [1, 1, 1, 0, 0, 0];
  const found = pairedAuc([0.9, 0.7, 0.4, 0.6, 0.3, 0.2], [0.8, 0.5, 0.5, 0.5, 0.6, 0.1], labels);
  expect(found?.first).toBeCloseTo(8 / 9, 14);
  expect(found?.second).toBeCloseTo(2 / 3, 14);
  expect(found?.difference).toBeCloseTo(-2 / 9, 14);
  expect(found?.standardError).toBeCloseTo(Math.sqrt(23) / 18, 14);
});

test('is the definition by pairs for any scores, ties among them', () => {
  const row = fc.record({
    a: fc.integer({ min: 0, max: 6 }),
    b: fc.integer({ min: 0, max: 6 }),
    y: fc.integer({ min: 0, max: 1 }),
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 4, maxLength: 30 }), (rows) => {
      const [a, b, labels] = [rows.map((one) => one.a), rows.map((one) => one.b), rows.map((one) => one.y)];
      const events = labels.reduce((sum, label) => sum + label, 0);
      fc.pre(events >= 2 && labels.length - events >= 2);
      const found = pairedAuc(a, b, labels);
      const { difference, standardError } = byPairs(a, b, labels);
      expect(found?.first).toBeCloseTo(auc(groupScores(a, labels)) ?? Number.NaN, 12);
      expect(found?.second).toBeCloseTo(auc(groupScores(b, labels)) ?? Number.NaN, 12);
      expect(found?.difference).toBeCloseTo(difference, 12);
      expect(found?.standardError).toBeCloseTo(standardError, 12);
    }),
  );
});

test('the same ranking twice differs by nothing, surely; beside chance the error is that of the one AUC', () => {
  const [scores, labels] = [
    [0.1, 0.2, 0.3, 0.4],
    [0, 1, 0, 1],
  ];
  expect(pairedAuc(scores, [1, 2, 3, 4], labels)).toMatchObject({ difference: 0, standardError: 0 });
  // Placements 1/2, 1 and 1/2, 1: variance 1/8 each, over two rows each.
  expect(pairedAuc([0, 0, 0, 0], scores, labels)?.standardError).toBeCloseTo(Math.sqrt(1 / 8), 14);
});

test.each([
  ['one class', [0, 0, 0], null],
  ['one event', [1, 0, 0], { first: 1, second: 0, difference: -1, standardError: null }],
])('%s', (_what, labels, expected) => {
  expect(pairedAuc([3, 2, 1], [1, 2, 3], labels)).toEqual(expected);
});

test('a model that has come to say NaN is compared with nothing', () => {
  const labels = [1, 1, 0, 0];
  expect(pairedAuc([1, 2, 3, 4], [1, Number.NaN, 3, 4], labels)).toBeNull();
  expect(pairedAuc(new Float32Array(4).fill(Number.NaN), [1, 2, 3, 4], labels)).toBeNull();
});

import { expect, test } from 'vitest';
import { axisOf } from './axis.ts';

const SHARE = [0, 1] as const;
const POSITIVE = [0, Number.POSITIVE_INFINITY] as const;
const UP_TO_ONE = [Number.NEGATIVE_INFINITY, 1] as const;

test.each<[what: string, values: readonly number[], bounds: readonly [number, number], texts: readonly string[]]>([
  ['an AUC', [0.8, 0.88], SHARE, ['0.78', '0.80', '0.82', '0.84', '0.86', '0.88', '0.90']],
  ['one AUC', [0.8], SHARE, ['0.79', '0.80', '0.81']],
  ['an AUC at its end', [0.98, 1], SHARE, ['0.97', '0.98', '0.99', '1.00']],
  ['nothing', [], SHARE, ['0.00', '0.20', '0.40', '0.60', '0.80', '1.00']],
  ['errors', [8, 10, 14], POSITIVE, ['6', '8', '10', '12', '14', '16']],
  ['small errors', [0.0012, 0.0031], POSITIVE, ['0.0010', '0.0015', '0.0020', '0.0025', '0.0030', '0.0035']],
  ['large errors', [12_000, 64_000], POSITIVE, ['0', '20K', '40K', '60K', '80K']],
  ['errors on both sides of ten thousand', [8100, 14_000], POSITIVE, ['6K', '8K', '10K', '12K', '14K', '16K']],
  ['no error at all', [0], POSITIVE, ['0.00', '0.01']],
  ['an R2 below nothing', [-1.4, 0.5], UP_TO_ONE, ['-1.50', '-1.00', '-0.50', '0.00', '0.50', '1.00']],
])('%s', (_, values, bounds, texts) => {
  const { from, to, ticks } = axisOf(values, bounds);
  expect(ticks.map(([, text]) => text)).toEqual(texts);
  expect(from).toBeLessThan(to);
  for (const value of values) expect(value >= from - 1e-12 && value <= to + 1e-12).toBe(true);
});

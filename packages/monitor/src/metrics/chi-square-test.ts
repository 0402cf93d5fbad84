import { MISSING_BIN } from '@fairway/core';
import { chiSquareTail } from './chi-square.ts';
import type { Evaluation, Metric } from './metric.ts';
import { properBins, variableOf } from './psi.ts';

/** Cells that expect fewer than this are merged: the distribution of the statistic does not hold for them. */
const LEAST_EXPECTED = 5;

/**
 * Chi-square of homogeneity, 2 × K, on one input's counts in the baseline's right-closed bins or categories, missing values as a
 * bin of their own; empty bins dropped, cells with an expected count below 5 merged; df = K − 1. Grows with the sample: read
 * p beside an effect size.
 */
export const chiSquare: Metric = {
  name: 'chiSquare',
  title: 'chi-square',
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: ['p'],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    if (variable === undefined) return null;
    const missing = new Map(counts.variables[name]).get(MISSING_BIN) ?? 0;
    return homogeneity([...variable.counts, variable.missing], [...properBins(variable, counts), missing]);
  },
  held: null,
};

/** null where a side is empty. */
export function homogeneity(reference: readonly number[], current: readonly number[]): Evaluation | null {
  const a = reference.reduce((sum, count) => sum + count, 0);
  const n = current.reduce((sum, count) => sum + count, 0);
  if (a === 0 || n === 0) return null;
  const pairs = merged(
    reference.map((count, bin) => [count, current[bin] ?? 0] as const),
    Math.min(a, n) / (a + n),
  );
  let value = 0;
  for (const [x, y] of pairs) {
    const [expectedX, expectedY] = [((x + y) * a) / (a + n), ((x + y) * n) / (a + n)];
    value += (x - expectedX) ** 2 / expectedX + (y - expectedY) ** 2 / expectedY;
  }
  return { value, sample: n, p: chiSquareTail(value, pairs.length - 1) };
}

type Pair = readonly [reference: number, current: number];

/** Bins without the empty ones; those too thin for the smaller side go into one, in order. */
function merged(pairs: readonly Pair[], smallerShare: number): Pair[] {
  const isThin = ([x, y]: Pair) => (x + y) * smallerShare < LEAST_EXPECTED;
  const present = pairs.filter(([x, y]) => x + y > 0);
  const thin = present.filter(isThin).reduce<Pair>(([a, b], [x, y]) => [a + x, b + y], [0, 0]);
  const thick = present.filter((pair) => !isThin(pair));
  return thin[0] + thin[1] === 0 ? thick : [...thick, thin];
}

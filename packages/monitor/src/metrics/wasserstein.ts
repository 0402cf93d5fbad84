import type { VariableBaseline } from '@fairway/core';
import type { Metric } from './metric.ts';
import { properBins, variableOf } from './psi.ts';

/** Below this spread the baseline counts as constant, and the distance is not blown up. */
const LEAST_DEVIATION = 0.001;

/**
 * 1-Wasserstein distance of one numeric input to the baseline, divided by max(population deviation of the baseline, 0.001).
 * Exact where single values are at hand. From bins it is approximate: mass is taken as uniform inside a bin, the outer bins
 * end at the baseline's smallest and largest value, and what lies beyond counts as there.
 */
export const wasserstein: Metric = {
  name: 'wasserstein',
  title: 'Wasserstein distance',
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: [],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    if (variable === undefined || variable.kind === 'category') return null;
    const current = properBins(variable, counts);
    const sample = current.reduce((sum, count) => sum + count, 0);
    if (variable.n === 0 || sample === 0) return null;
    const area = counts.exact?.distances[name]?.wasserstein ?? binnedArea(variable, current, sample);
    return { value: area / Math.max(variable.std, LEAST_DEVIATION), sample };
  },
  held: null,
};

/** Area between two distribution functions that are straight inside each bin. */
function binnedArea(
  { edges, counts, n, min, max }: Extract<VariableBaseline, { kind: 'numeric' }>,
  current: readonly number[],
  sample: number,
): number {
  let [area, before, from] = [0, 0, min];
  for (const [bin, count] of counts.entries()) {
    const to = edges[bin] ?? max;
    const after = before + count / n - (current[bin] ?? 0) / sample;
    area += strip(before, after) * Math.max(0, to - from);
    before = after;
    from = Math.max(from, to);
  }
  return area;
}

/** Mean of |x| between two heights on a straight line, which may cross zero. */
function strip(a: number, b: number): number {
  if (a * b >= 0) return Math.abs(a + b) / 2;
  return (a * a + b * b) / (2 * (Math.abs(a) + Math.abs(b)));
}

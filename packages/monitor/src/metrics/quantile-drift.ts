import type { VariableBaseline } from '@fairway/core';
import type { Metric } from './metric.ts';
import { properBins, variableOf } from './psi.ts';

const LEAST_DEVIATION = 0.001;

/**
 * How far one numeric input (or prediction) has moved at its worst decile: the largest |decile now − decile of the baseline|,
 * divided by max(population deviation of the baseline, 0.001). Approximate: the deciles of now are read from the baseline's
 * right-closed bins, uniform inside each, the outer ones ending at its smallest and largest value.
 */
export const quantileDrift: Metric = {
  name: 'quantileDrift',
  title: 'shift of the deciles',
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
    const deviation = Math.max(variable.std, LEAST_DEVIATION);
    const shifts = Array.from({ length: 9 }, (_, k) => {
      const q = (k + 1) / 10;
      return Math.abs(quantileOf(variable, current, q) - quantileOf(variable, variable.counts, q));
    });
    return { value: Math.max(...shifts) / deviation, sample };
  },
  held: null,
};

function quantileOf(
  { edges, min, max }: Extract<VariableBaseline, { kind: 'numeric' }>,
  counts: readonly number[],
  q: number,
): number {
  const wanted = q * counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  let from = min;
  for (const [bin, count] of counts.entries()) {
    const to = edges[bin] ?? max;
    if (count > 0 && seen + count >= wanted) return from + ((wanted - seen) / count) * (to - from);
    seen += count;
    from = to;
  }
  return max;
}

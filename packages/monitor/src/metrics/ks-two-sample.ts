import { kolmogorovTail } from '@fairway/core';
import type { Metric } from './metric.ts';
import { properBins, variableOf } from './psi.ts';

/**
 * Kolmogorov–Smirnov distance of one numeric input to the baseline. Exact where single values are at hand; from the baseline's
 * right-closed bins a lower bound: D_bins ≤ D ≤ D_bins + the largest share of a bin (`bound`). p by the asymptotic series.
 */
export const ksTwoSample: Metric = {
  name: 'ksTwoSample',
  title: 'KS distance',
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: ['p'],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    if (variable === undefined || variable.kind === 'category') return null;
    const current = properBins(variable, counts);
    const m = current.reduce((sum, count) => sum + count, 0);
    if (variable.n === 0 || m === 0) return null;
    const exact = counts.exact?.distances[name];
    if (exact !== undefined) return { value: exact.ks, sample: m, p: exact.p, bound: 0 };
    let [value, bound, difference] = [0, 0, 0];
    for (const [bin, count] of current.entries()) {
      const [p, q] = [(variable.counts[bin] ?? 0) / variable.n, count / m];
      difference += p - q;
      value = Math.max(value, Math.abs(difference));
      bound = Math.max(bound, p, q);
    }
    return { value, sample: m, bound, p: kolmogorovTail(Math.sqrt((variable.n * m) / (variable.n + m)) * value) };
  },
  held: null,
};

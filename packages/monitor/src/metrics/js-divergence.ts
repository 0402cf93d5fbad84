import type { Metric } from './metric.ts';
import { properBins, variableOf } from './psi.ts';

/**
 * Jensen–Shannon divergence of one input in the baseline's right-closed bins, base 2, in [0, 1]; missing values left out,
 * no floor (0 log 0 = 0). Not to be taken for the distance, which is its square root.
 */
export const jsDivergence: Metric = {
  name: 'jsDivergence',
  title: 'Jensen–Shannon divergence',
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: [],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    return variable === undefined ? null : divergence(variable.counts, properBins(variable, counts));
  },
  held: null,
};

function divergence(reference: readonly number[], current: readonly number[]) {
  const a = reference.reduce((sum, count) => sum + count, 0);
  const n = current.reduce((sum, count) => sum + count, 0);
  if (a === 0 || n === 0) return null;
  let value = 0;
  for (const [bin, count] of reference.entries()) {
    const [p, q] = [count / a, (current[bin] ?? 0) / n];
    const middle = (p + q) / 2;
    if (p > 0) value += (p * Math.log2(p / middle)) / 2;
    if (q > 0) value += (q * Math.log2(q / middle)) / 2;
  }
  // Equal shares may come out as −1e-17.
  return { value: Math.max(0, value), sample: n };
}

import type { RegressionBaseline } from '@fairway/core';
import type { RegressionSums } from '../ports.ts';
import type { Evaluation, Metric } from './metric.ts';
import { regressionSums } from './sums.ts';

type Name = Exclude<keyof RegressionBaseline['performance'], 'rows'>;

/** Figures of a model whose target is a number, from sums that add up over windows. */
function metric(name: Name, title: string, better: Metric['better'], read: (sums: RegressionSums) => number): Metric {
  return {
    name,
    title,
    scope: 'window',
    of: ['numbers'],
    needsLabels: true,
    better,
    guards: [],
    evaluate: (counts) => {
      const sums = regressionSums(counts.sums);
      if (sums === undefined || sums.n === 0) return null;
      const value = read(sums);
      return Number.isFinite(value) ? { value, sample: sums.n } : null;
    },
    held: ({ regression }) => {
      const held = regression?.performance;
      return held === undefined || held.rows === 0 ? null : { value: held[name], sample: held.rows };
    },
  };
}

const meanError = metric('mae', 'mean absolute error', 'lower', ({ n, sumAbsoluteError }) => sumAbsoluteError / n);

/** With the standard error of a mean: the deviation of |e| / √n. */
export const mae: Metric = {
  ...meanError,
  guards: ['z'],
  evaluate: (counts, baseline, variable) => {
    const found = meanError.evaluate(counts, baseline, variable);
    const squares = rmse.evaluate(counts, baseline, variable);
    return found === null || squares === null ? null : withError(found, squares.value);
  },
  held: (baseline) => {
    const found = meanError.held?.(baseline) ?? null;
    return found === null ? null : withError(found, baseline.regression?.performance.rmse ?? 0);
  },
};

const withError = ({ value, sample }: Evaluation, rootOfSquares: number): Evaluation => ({
  value,
  sample,
  standardError: Math.sqrt(Math.max(0, rootOfSquares ** 2 - value ** 2) / sample),
});

export const rmse = metric('rmse', 'root mean squared error', 'lower', ({ n, sumSquaredError }) =>
  Math.sqrt(sumSquaredError / n),
);
/** Below this share of Σy² the distance to the mean is what rounding y² to a double leaves: the true values differ by less than a millionth of themselves. */
const LEAST_SPREAD = 1e-12;

/** 1 − squared error / squared distance to the mean of the true values; null where those are all the same, or as good as. */
export const rSquared = metric('rSquared', 'R²', 'higher', ({ n, sumY, sumYY, sumSquaredError }) => {
  const spread = sumYY - (sumY * sumY) / n;
  return spread <= LEAST_SPREAD * sumYY ? Number.NaN : 1 - sumSquaredError / spread;
});

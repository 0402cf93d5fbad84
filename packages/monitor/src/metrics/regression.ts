import type { RegressionSums } from '../ports.ts';
import type { Metric } from './metric.ts';

/** Figures of a model whose target is a number, from sums that add up over windows. */
function metric(name: string, title: string, better: Metric['better'], read: (sums: RegressionSums) => number): Metric {
  return {
    name,
    title,
    scope: 'window',
    needsLabels: true,
    better,
    guards: [],
    evaluate: ({ regression: sums }) => {
      if (sums === undefined || sums.n === 0) return null;
      const value = read(sums);
      return Number.isFinite(value) ? { value, sample: sums.n } : null;
    },
    held: null,
  };
}

export const mae = metric('mae', 'mean absolute error', 'lower', ({ n, sumAbsoluteError }) => sumAbsoluteError / n);
export const rmse = metric('rmse', 'root mean squared error', 'lower', ({ n, sumSquaredError }) =>
  Math.sqrt(sumSquaredError / n),
);
/** 1 − squared error / squared distance to the mean of the true values; null where those are all the same. */
export const rSquared = metric(
  'rSquared',
  'R²',
  'higher',
  ({ n, sumY, sumYY, sumSquaredError }) => 1 - sumSquaredError / (sumYY - (sumY * sumY) / n),
);

import type { CategoricalName, Loan } from './columns.ts';
import { CATEGORICAL, CATEGORIES, NUMERIC } from './columns.ts';

/** What the transformation learned from its training rows; one entry per {@link NUMERIC} column, in log1p space. */
export type Scaling = { readonly mean: Float32Array; readonly std: Float32Array };

/** Scaled values are cut at ± this many standard deviations, so that one absurd cell cannot decide a score. */
export const CLIP = 4;

/** Text columns become one flag per known category and one for "missing"; unknown categories leave all flags 0. */
export const FLAGS: ReadonlyArray<{ readonly column: CategoricalName; readonly category: string }> =
  CATEGORICAL.flatMap((column) => ['', ...CATEGORIES[column]].map((category) => ({ column, category })));

/** Length of a feature vector: scaled numbers, their missing flags, category flags. */
export const WIDTH = 2 * NUMERIC.length + FLAGS.length;

/** Mean and standard deviation of log1p(max(x, 0)) per column, missing values left out. */
export function fitScaling(loans: readonly Loan[]): Scaling {
  const mean = new Float32Array(NUMERIC.length);
  const std = new Float32Array(NUMERIC.length);
  for (const [column, name] of NUMERIC.entries()) {
    const values = loans.flatMap((loan) => (loan[name] === null ? [] : [logged(loan[name])]));
    const average = values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
    const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / Math.max(values.length, 1);
    mean[column] = average;
    std[column] = Math.max(Math.sqrt(variance), 1e-3);
  }
  return { mean, std };
}

const logged = (value: number): number => Math.fround(Math.log1p(Math.max(Math.fround(value), 0)));

/**
 * Feature matrix, `loans.length` rows of {@link WIDTH} in row-major order. A missing number takes the column's mean
 * (0 after scaling) and raises its flag.
 */
export function features(loans: readonly Loan[], { mean, std }: Scaling): Float32Array {
  const matrix = new Float32Array(loans.length * WIDTH);
  for (const [row, loan] of loans.entries()) {
    const at = row * WIDTH;
    for (const [column, name] of NUMERIC.entries()) {
      const value = loan[name];
      if (value === null) matrix[at + NUMERIC.length + column] = 1;
      else {
        const scaled = (logged(value) - (mean[column] as number)) / (std[column] as number);
        matrix[at + column] = Math.min(Math.max(scaled, -CLIP), CLIP);
      }
    }
    for (const [flag, { column, category }] of FLAGS.entries()) {
      if ((loan[column] ?? '') === category) matrix[at + 2 * NUMERIC.length + flag] = 1;
    }
  }
  return matrix;
}

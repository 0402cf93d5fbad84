import { allClasses, matrixMetric, shareOf } from './class-metric.ts';
import type { Matrix } from './class-counts.ts';

const right = (matrix: Matrix): number => allClasses(matrix).reduce((sum, one) => sum + one.right, 0);

/** Labelled rows whose class was predicted; a class that the baseline lacks cannot be. */
export const classAccuracy = matrixMetric(
  { name: 'accuracy', title: 'accuracy', better: 'higher', guards: ['z'] },
  (matrix) => shareOf(right(matrix) / matrix.labelled, matrix.labelled),
);

export const classMce = matrixMetric(
  { name: 'mce', title: 'misclassification rate', better: 'lower', guards: ['z'] },
  (matrix) => shareOf(1 - right(matrix) / matrix.labelled, matrix.labelled),
);

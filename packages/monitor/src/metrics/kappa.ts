import { allClasses, matrixMetric } from './class-metric.ts';

/**
 * Cohen's kappa of predicted and true class, (po − pe) / (1 − pe), with Cohen's (1960) standard error. Rows of a class that the
 * baseline lacks are left out; a row without a known prediction never agrees.
 */
export const kappa = matrixMetric(
  { name: 'kappa', title: "Cohen's kappa", better: 'higher', guards: ['z'] },
  (matrix) => {
    const classes = allClasses(matrix);
    const unknown = matrix.cells.reduce((sum, row) => sum + (row[matrix.k] as number), 0);
    const n = matrix.labelled - unknown;
    const agreed = classes.reduce((sum, { right }) => sum + right, 0) / n;
    const chance =
      classes.reduce(
        (sum, { predicted, actual }, at) => sum + (predicted - (matrix.cells[at]?.[matrix.k] ?? 0)) * actual,
        0,
      ) /
      n ** 2;
    return {
      value: (agreed - chance) / (1 - chance),
      sample: n,
      standardError: Math.sqrt((agreed * (1 - agreed)) / n) / (1 - chance),
    };
  },
);

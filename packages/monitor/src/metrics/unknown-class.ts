import { classesOf, matrixOf } from './class-counts.ts';
import { classMetric, matrixMetric, shareOf } from './class-metric.ts';

/** Labelled rows of a class that the baseline lacks. */
export const unknownClass = matrixMetric(
  { name: 'unknownClass', title: 'share of unknown classes', better: 'lower', isRate: true },
  ({ cells, k, labelled }) => shareOf(cells.reduce((sum, row) => sum + (row[k] as number), 0) / labelled, labelled),
);

/** Predictions that name no class of the baseline. */
export const noClass = classMetric(
  {
    name: 'noClass',
    title: 'share of predictions without a known class',
    better: 'lower',
    isRate: true,
    needsLabels: false,
  },
  (counts, baseline) => {
    const matrix = matrixOf(counts, classesOf(baseline).length);
    const rows = matrix?.predicted.reduce((sum, count) => sum + count, 0) ?? 0;
    return matrix === undefined || rows === 0 ? null : shareOf((matrix.predicted[matrix.k] as number) / rows, rows);
  },
);

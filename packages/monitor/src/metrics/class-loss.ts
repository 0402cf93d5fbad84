import { type ClassSums, classSums } from './class-counts.ts';
import { classMetric } from './class-metric.ts';

const lossMetric = (name: string, title: string, read: (sums: ClassSums) => number) =>
  classMetric({ name, title, better: 'lower' }, (counts) => {
    const sums = classSums(counts);
    return sums === undefined ? null : { value: read(sums), sample: sums.rows };
  });

/** −mean ln p(true class), p at least 1e-15; over labelled rows of a known class whose probabilities are known. */
export const classLogLoss = lossMetric('logLoss', 'log loss', ({ logLoss, rows }) => logLoss / rows);

/** Mean of Σ (p − y)² over all classes, from 0 to 2: for two classes twice the Brier score of the event. */
export const classBrier = lossMetric('classBrier', 'Brier score of all classes', ({ brier, rows }) => brier / rows);

/** Of the likeliest class, in ten equal bins of its probability: Σ share × |mean probability − share of right ones|. */
export const classEce = lossMetric(
  'classEce',
  'calibration error of the likeliest class',
  ({ tenths, rows }) => tenths.reduce((sum, { confidence, correct }) => sum + Math.abs(confidence - correct), 0) / rows,
);

import { eachClass, macro, matrixMetric, type PerClass, perClass, shareOf, weighted } from './class-metric.ts';

/** 0 where the class was never predicted. */
const precisionOf = ({ right, predicted }: PerClass): number => (predicted === 0 ? 0 : right / predicted);

/** Of the labelled rows that were predicted as a class, those that are of it. */
export const classPrecision = eachClass(
  { name: 'classPrecision', title: 'precision', better: 'higher', guards: ['z'] },
  (matrix, at) => {
    const { right, predicted } = perClass(matrix, at);
    return shareOf(right / predicted, predicted);
  },
);
export const macroPrecision = matrixMetric(
  { name: 'macroPrecision', title: 'macro precision', better: 'higher' },
  (matrix) => macro(matrix, precisionOf),
);
export const weightedPrecision = matrixMetric(
  { name: 'weightedPrecision', title: 'weighted precision', better: 'higher' },
  (matrix) => weighted(matrix, precisionOf),
);

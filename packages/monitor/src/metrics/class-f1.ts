import { macro, matrixMetric, type PerClass, weighted } from './class-metric.ts';

const f1Of = ({ right, predicted, actual }: PerClass): number =>
  predicted + actual === 0 ? 0 : (2 * right) / (predicted + actual);

export const macroF1 = matrixMetric({ name: 'macroF1', title: 'macro F1', better: 'higher' }, (matrix) =>
  macro(matrix, f1Of),
);
export const weightedF1 = matrixMetric({ name: 'weightedF1', title: 'weighted F1', better: 'higher' }, (matrix) =>
  weighted(matrix, f1Of),
);

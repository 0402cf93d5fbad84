import { eachClass, perClass, shareOf } from './class-metric.ts';

/** Of the rows of a class, those that were predicted as it. */
export const classRecall = eachClass(
  { name: 'classRecall', title: 'recall', better: 'higher', guards: ['z'] },
  (matrix, at) => {
    const { right, actual } = perClass(matrix, at);
    return shareOf(right / actual, actual);
  },
);

import { allClasses, matrixMetric } from './class-metric.ts';

/** Mean recall of the classes that occur among the labels (macro recall); its error is that of the independent recalls. */
export const balancedAccuracy = matrixMetric(
  { name: 'balancedAccuracy', title: 'balanced accuracy', better: 'higher', guards: ['z'] },
  (matrix) => {
    const present = allClasses(matrix).filter(({ actual }) => actual > 0);
    const recalls = present.map(({ right, actual }) => right / actual);
    const variance = present.reduce((sum, { actual }, index) => {
      const recall = recalls[index] as number;
      return sum + (recall * (1 - recall)) / actual;
    }, 0);
    return {
      value: recalls.reduce((sum, recall) => sum + recall, 0) / present.length,
      sample: present.reduce((sum, { actual }) => sum + actual, 0),
      standardError: Math.sqrt(variance) / present.length,
    };
  },
);

import type { Baseline } from '@fairway/core';
import type { WindowCounts } from '../ports.ts';
import { homogeneity } from './chi-square-test.ts';
import { classesOf, matrixOf } from './class-counts.ts';
import { classMetric } from './class-metric.ts';
import type { Evaluation, Metric } from './metric.ts';
import { stabilityIndex } from './stability.ts';

type Compare = (reference: readonly number[], current: readonly number[]) => Evaluation | null;

/** Predicted classes now against those of the baseline's rows; rows without a known class are left out. */
const drift = (name: string, title: string, guards: Metric['guards'], compare: Compare): Metric => ({
  ...classMetric(
    { name, title, better: 'lower', guards, needsLabels: false },
    (counts: WindowCounts, baseline: Baseline) => {
      const k = classesOf(baseline).length;
      const predicted = matrixOf(counts, k)?.predicted.slice(0, k);
      return predicted === undefined ? null : compare(baseline.classification?.predicted ?? [], predicted);
    },
  ),
  held: null,
});

export const classPsi = drift('classPsi', 'PSI of the predicted class', ['noise', 'p'], stabilityIndex);
export const classChiSquare = drift('classChiSquare', 'chi-square of the predicted class', ['p'], homogeneity);

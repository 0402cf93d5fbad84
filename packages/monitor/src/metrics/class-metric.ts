import type { Baseline } from '@fairway/core';
import type { WindowCounts } from '../ports.ts';
import { classesOf, isClassCounts, type Matrix, matrixOf } from './class-counts.ts';
import type { Evaluation, Metric } from './metric.ts';

type Shape = Pick<Metric, 'name' | 'title' | 'better'> & Partial<Pick<Metric, 'guards' | 'isRate' | 'needsLabels'>>;
type Read = (counts: WindowCounts, baseline: Baseline, variable: string) => Evaluation | null;

/** A figure of a model that predicts one of several classes, of the window and of the baseline's held-out rows by the same code. */
export function classMetric(shape: Shape, read: Read, scope: 'window' | 'each-class' = 'window'): Metric {
  const evaluate = (counts: WindowCounts, baseline: Baseline, variable: string) => {
    const found = isClassCounts(counts) ? read(counts, baseline, variable) : null;
    return found === null || !Number.isFinite(found.value) ? null : found;
  };
  return {
    needsLabels: true,
    guards: [],
    of: ['classes'],
    ...shape,
    scope,
    evaluate: (counts, baseline, variable) => (baseline === undefined ? null : evaluate(counts, baseline, variable)),
    held: (baseline, _settings, variable = '') => {
      const heldOut = baseline.classification?.heldOut ?? {};
      return evaluate({ variables: heldOut, scores: [] }, baseline, variable);
    },
  };
}

/** One that is read from the matrix of predicted and true classes; `sample` 0 gives null. */
export const matrixMetric = (shape: Shape, read: (matrix: Matrix) => Evaluation): Metric =>
  classMetric(shape, (counts, baseline) => {
    const matrix = matrixOf(counts, classesOf(baseline).length);
    return matrix === undefined || matrix.labelled === 0 ? null : read(matrix);
  });

/** The same for each class by itself. */
export const eachClass = (shape: Shape, read: (matrix: Matrix, at: number) => Evaluation): Metric =>
  classMetric(
    shape,
    (counts, baseline, name) => {
      const classes = classesOf(baseline);
      const [matrix, at] = [matrixOf(counts, classes.length), classes.indexOf(name)];
      return matrix === undefined || at < 0 ? null : read(matrix, at);
    },
    'each-class',
  );

/** `metric` of two classes, `several` of more: one name for what means the same. */
export const orSeveral = (metric: Metric, several: Metric): Metric => ({
  ...metric,
  of: ['events', 'classes'],
  evaluate: (counts, baseline, variable, settings) =>
    (isClassCounts(counts) ? several : metric).evaluate(counts, baseline, variable, settings),
  held: (baseline, settings) =>
    (baseline.classification === undefined ? metric : several).held?.(baseline, settings) ?? null,
});

/** A share of `sample` rows, with its binomial standard error. */
export const shareOf = (value: number, sample: number): Evaluation => ({
  value,
  sample,
  standardError: Math.sqrt((value * (1 - value)) / sample),
});

/** Right predictions, all predictions and all labelled rows of one class. */
export type PerClass = { readonly right: number; readonly predicted: number; readonly actual: number };

export const perClass = ({ cells }: Matrix, at: number): PerClass => ({
  right: cells[at]?.[at] ?? 0,
  predicted: (cells[at] ?? []).reduce((sum, count) => sum + count, 0),
  actual: cells.reduce((sum, row) => sum + (row[at] as number), 0),
});

export const allClasses = (matrix: Matrix): PerClass[] =>
  Array.from({ length: matrix.k }, (_, at) => perClass(matrix, at));

/** Mean over the classes that occur among labels or predictions. */
export function macro(matrix: Matrix, read: (one: PerClass) => number): Evaluation {
  const present = allClasses(matrix).filter(({ predicted, actual }) => predicted + actual > 0);
  const value = present.reduce((sum, one) => sum + read(one), 0) / present.length;
  return { value, sample: matrix.labelled };
}

/** Mean over labelled rows of what holds of their class. */
export function weighted(matrix: Matrix, read: (one: PerClass) => number): Evaluation {
  const classes = allClasses(matrix);
  const rows = classes.reduce((sum, { actual }) => sum + actual, 0);
  return { value: classes.reduce((sum, one) => sum + one.actual * read(one), 0) / rows, sample: rows };
}

import { auc } from './auc.ts';
import type { Evaluation, Metric } from './metric.ts';

/** Gini coefficient, 2 AUC − 1. */
export const gini: Metric = {
  name: 'gini',
  title: 'Gini',
  scope: 'window',
  needsLabels: true,
  ranks: true,
  better: 'higher',
  guards: ['z'],
  evaluate: (counts, baseline, variable) => fromAuc(auc.evaluate(counts, baseline, variable)),
  held: (baseline) => fromAuc(auc.held?.(baseline) ?? null),
};

const fromAuc = (area: Evaluation | null): Evaluation | null =>
  area === null
    ? null
    : {
        ...area,
        value: 2 * area.value - 1,
        ...(area.standardError === undefined ? {} : { standardError: 2 * area.standardError }),
      };

import type { ScoreGroup } from '@fairway/core';
import { heldOutGroups, labelledGroups } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/**
 * Mean squared error of the score (SAS: ASE, which is the same number for a binary target). From 1e-4 bins, with the middle of
 * each as score, at most 1e-4 from the exact one.
 */
export const brier: Metric = {
  name: 'brier',
  title: 'Brier score',
  scope: 'window',
  needsLabels: true,
  better: 'lower',
  guards: [],
  evaluate: (counts) => evaluateBrier(labelledGroups(counts)),
  held: (baseline) => evaluateBrier(heldOutGroups(baseline.scores)),
};

/** Mean squared error of grouped scores. */
export function evaluateBrier(groups: Iterable<ScoreGroup>): Evaluation | null {
  let errors = 0;
  let rows = 0;
  for (const [p, negative, positive] of groups) {
    errors += positive * (1 - p) ** 2 + negative * p * p;
    rows += positive + negative;
  }
  return rows === 0 ? null : { value: errors / rows, sample: rows };
}

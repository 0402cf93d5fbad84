import type { ScoreGroup } from '@fairway/core';
import { groupTotals, heldOutGroups, labelledGroups } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/** Mean squared error of the score (SAS: ASE), with the middle of each 1e-4 bin as score: at most 1e-4 from the exact one. */
export const brier: Metric = {
  name: 'brier',
  scope: 'window',
  needsLabels: true,
  better: 'lower',
  guards: [],
  evaluate: (counts) => evaluateBrier(labelledGroups(counts)),
  held: (baseline) => evaluateBrier(heldOutGroups(baseline.scores)),
};

function evaluateBrier(groups: readonly ScoreGroup[]): Evaluation | null {
  const { rows } = groupTotals(groups);
  if (rows === 0) return null;
  const errors = groups.reduce((sum, [p, negative, positive]) => sum + positive * (1 - p) ** 2 + negative * p * p, 0);
  return { value: errors / rows, sample: rows };
}

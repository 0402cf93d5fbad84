import { auc as area, type ScoreGroup } from '@fairway/core';
import { groupTotals, heldOutGroups, labelledGroups } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/** Area under the ROC curve by mid-ranks of 1e-4 score bins, with DeLong's standard error. */
export const auc: Metric = {
  name: 'auc',
  scope: 'window',
  needsLabels: true,
  better: 'higher',
  guards: ['z'],
  evaluate: (counts) => evaluateAuc(labelledGroups(counts)),
  held: (baseline) => {
    const binned = evaluateAuc(heldOutGroups(baseline.scores));
    // The registered figure is exact; the bins only lend it their standard error.
    return { ...binned, value: baseline.performance.auc, sample: baseline.performance.rows };
  },
};

function evaluateAuc(groups: readonly ScoreGroup[]): Evaluation | null {
  const value = area(groups);
  if (value === null) return null;
  const standardError = deLongError(groups, value);
  return { value, sample: groupTotals(groups).rows, ...(standardError === null ? {} : { standardError }) };
}

/** DeLong's standard error, tie-aware (monitoring reference §4). null with fewer than two rows in a class. */
function deLongError(groups: readonly ScoreGroup[], value: number): number | null {
  const { rows, events } = groupTotals(groups);
  const nonEvents = rows - events;
  if (events < 2 || nonEvents < 2) return null;
  let negativesBelow = 0;
  let positivesBelow = 0;
  let byEvents = 0;
  let byNonEvents = 0;
  for (const [, negative, positive] of groups) {
    const v = (negativesBelow + negative / 2) / nonEvents;
    const w = (events - positivesBelow - positive / 2) / events;
    byEvents += positive * (v - value) ** 2;
    byNonEvents += negative * (w - value) ** 2;
    negativesBelow += negative;
    positivesBelow += positive;
  }
  return Math.sqrt(byEvents / (events - 1) / events + byNonEvents / (nonEvents - 1) / nonEvents);
}

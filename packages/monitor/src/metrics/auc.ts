import { auc as area, type ScoreGroup } from '@fairway/core';
import { groupTotals, heldOutGroups, labelledGroups } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/** Area under the ROC curve by mid-ranks of scores (of 1e-4 bins where they are not at hand), with DeLong's standard error. */
export const auc: Metric = {
  name: 'auc',
  title: 'AUC',
  scope: 'window',
  needsLabels: true,
  ranks: true,
  better: 'higher',
  guards: ['z'],
  evaluate: (counts) => areaOf(labelledGroups(counts), counts.exact !== undefined),
  held: (baseline) => {
    if (baseline.performance.rows === 0) return null;
    const binned = areaOf(heldOutGroups(baseline.scores), false);
    // The registered figure is exact; the bins only lend it their standard error.
    return { ...binned, value: baseline.performance.auc, sample: baseline.performance.rows };
  },
};

/** AUC with DeLong's standard error. `isExact`: groups are single scores, so that ties within them hide nothing. */
export function areaOf(groups: Iterable<ScoreGroup>, isExact: boolean): Evaluation | null {
  const value = area(groups);
  if (value === null) return null;
  const standardError = deLongError(groups, value);
  const { rows, events } = groupTotals(groups);
  const bound = isExact ? 0 : tieBound(groups, events, rows - events);
  return { value, sample: rows, bound, ...(standardError === null ? {} : { standardError }) };
}

/** DeLong's standard error, tie-aware (monitoring reference §4). null with fewer than two rows in a class. */
function deLongError(groups: Iterable<ScoreGroup>, value: number): number | null {
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

/** Pairs inside one bin count one half, whichever way they lie: AUC is at most this far off (monitoring reference §6). */
function tieBound(groups: Iterable<ScoreGroup>, events: number, nonEvents: number): number {
  let pairs = 0;
  for (const [, negative, positive] of groups) pairs += negative * positive;
  return (0.5 * pairs) / (events * nonEvents);
}

import { ksClasses, type ScoreGroup } from '@fairway/core';
import { groupTotals, labelledGroups } from './counts.ts';
import type { Metric } from './metric.ts';

/** Kolmogorov–Smirnov distance between events and non-events, read after all ties at a score bin (from 1e-4 bins a lower bound of the exact one, off by at most `bound`). */
export const ks: Metric = {
  name: 'ks',
  title: 'KS',
  scope: 'window',
  needsLabels: true,
  ranks: true,
  better: 'higher',
  guards: [],
  evaluate: (counts) => {
    const groups = labelledGroups(counts);
    const value = ksClasses(groups);
    if (value === null) return null;
    const { rows, events } = groupTotals(groups);
    return { value, sample: rows, bound: counts.exact === undefined ? largestStep(groups, events, rows - events) : 0 };
  },
  held: ({ performance }) => (performance.rows === 0 ? null : { value: performance.ks, sample: performance.rows }),
};

function largestStep(groups: Iterable<ScoreGroup>, events: number, nonEvents: number): number {
  let step = 0;
  for (const [, negative, positive] of groups) step = Math.max(step, positive / events, negative / nonEvents);
  return step;
}

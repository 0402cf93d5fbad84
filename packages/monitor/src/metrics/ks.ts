import { ksClasses } from '@fairway/core';
import { groupTotals, labelledGroups } from './counts.ts';
import type { Metric } from './metric.ts';

/** Kolmogorov–Smirnov distance between events and non-events, read after all ties at a score bin (a lower bound of the exact one). */
export const ks: Metric = {
  name: 'ks',
  scope: 'window',
  needsLabels: true,
  better: 'higher',
  guards: [],
  evaluate: (counts) => {
    const groups = labelledGroups(counts);
    const value = ksClasses(groups);
    return value === null ? null : { value, sample: groupTotals(groups).rows };
  },
  held: ({ performance }) => ({ value: performance.ks, sample: performance.rows }),
};

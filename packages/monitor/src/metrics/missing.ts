import { MISSING_BIN } from '@fairway/core';
import { totals } from './counts.ts';
import type { Metric } from './metric.ts';

/** Share of predictions in which one input is missing. */
export const missing: Metric = {
  name: 'missing',
  title: 'missing rate',
  isRate: true,
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: [],
  evaluate: (counts, _baseline, name) => {
    const { predictions } = totals(counts);
    if (predictions === 0) return null;
    return { value: (new Map(counts.variables[name]).get(MISSING_BIN) ?? 0) / predictions, sample: predictions };
  },
  held: null,
};

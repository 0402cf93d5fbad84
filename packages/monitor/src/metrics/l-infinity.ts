import { MISSING_BIN } from '@fairway/core';
import type { Metric } from './metric.ts';
import { properBins, variableOf } from './psi.ts';

/** Largest change of a share among one input's right-closed bins or categories, missing values as a bin; shares over all rows. */
export const lInfinity: Metric = {
  name: 'lInfinity',
  title: 'largest change of a share',
  isRate: true,
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: [],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    if (variable === undefined) return null;
    const current = [...properBins(variable, counts), new Map(counts.variables[name]).get(MISSING_BIN) ?? 0];
    const reference = [...variable.counts, variable.missing];
    const a = reference.reduce((sum, count) => sum + count, 0);
    const n = current.reduce((sum, count) => sum + count, 0);
    if (a === 0 || n === 0) return null;
    const value = Math.max(...reference.map((count, bin) => Math.abs((current[bin] ?? 0) / n - count / a)));
    return { value, sample: n };
  },
  held: null,
};

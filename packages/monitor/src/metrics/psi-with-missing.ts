import { MISSING_BIN } from '@fairway/core';
import type { Metric } from './metric.ts';
import { properBins, variableOf } from './psi.ts';
import { stabilityIndex } from './stability.ts';

/** PSI of one input with one more bin for missing values; shares over all rows. */
export const psiWithMissing: Metric = {
  name: 'psiWithMissing',
  title: 'PSI with missing values',
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: ['noise', 'p'],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    if (variable === undefined) return null;
    const missing = new Map(counts.variables[name]).get(MISSING_BIN) ?? 0;
    return stabilityIndex([...variable.counts, variable.missing], [...properBins(variable, counts), missing]);
  },
  held: null,
};

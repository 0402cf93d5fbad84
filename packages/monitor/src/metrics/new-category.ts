import type { Metric } from './metric.ts';
import { properBins, variableOf } from './psi.ts';

/**
 * Share of one input's values (missing ones left out) that are no category of the baseline. Null for numbers, and where the
 * baseline kept its commonest categories only: then "other" is not "new".
 */
export const newCategory: Metric = {
  name: 'newCategory',
  title: 'rate of new categories',
  isRate: true,
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: [],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    if (variable === undefined || variable.kind === 'numeric' || variable.counts.at(-1) !== 0) return null;
    const current = properBins(variable, counts);
    const sample = current.reduce((sum, count) => sum + count, 0);
    return sample === 0 ? null : { value: (current.at(-1) ?? 0) / sample, sample };
  },
  held: null,
};

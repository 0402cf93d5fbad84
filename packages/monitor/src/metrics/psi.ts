import type { Baseline, VariableBaseline } from '@fairway/core';
import type { WindowCounts } from '../ports.ts';
import type { Metric } from './metric.ts';
import { stabilityIndex } from './stability.ts';

/** PSI of one input in the baseline's bins, right-closed; missing and invalid values are left out. */
export const psi: Metric = {
  name: 'psi',
  title: 'PSI',
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: ['noise', 'p'],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    return variable === undefined ? null : stabilityIndex(variable.counts, properBins(variable, counts));
  },
  held: null,
};

export const variableOf = (baseline: Baseline | undefined, name: string): VariableBaseline | undefined =>
  baseline?.variables.find((variable) => variable.name === name);

/** Current counts of the baseline's proper bins, in their order. */
export function properBins(variable: VariableBaseline, counts: WindowCounts): number[] {
  const current = new Map(counts.variables[variable.name]);
  return variable.counts.map((_, bin) => current.get(bin) ?? 0);
}

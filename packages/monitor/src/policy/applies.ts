import type { Baseline, VariableBaseline } from '@fairway/core';
import type { MetricName } from '../metrics/registry.ts';
import type { Rule } from './schema.ts';

type Need = { readonly of: (variable: VariableBaseline) => boolean; readonly lack: string };

const NUMBERS: Need = { of: ({ kind }) => kind === 'numeric', lack: 'no input is a number' };

/** What an input must be for a metric to have a figure of it, where that is not every input. */
const NEEDS: Partial<Record<MetricName, Need>> = {
  ksTwoSample: NUMBERS,
  wasserstein: NUMBERS,
  quantileDrift: NUMBERS,
  outOfRange: NUMBERS,
  newCategory: {
    of: ({ kind, counts }) => kind === 'category' && counts.at(-1) === 0,
    lack: 'no input has categories of which the baseline keeps all',
  },
};

/**
 * Why a rule about each input can speak of no input of this baseline, in a sentence; undefined where it can, or where there is
 * no baseline. Such a rule holds nothing up: it is no evidence that is missing.
 */
export function inapplicable({ id, metric, scope }: Rule, baseline: Baseline | undefined): string | undefined {
  const need = NEEDS[metric];
  if (need === undefined || scope !== 'each-input' || baseline === undefined) return undefined;
  return baseline.variables.some(need.of) ? undefined : `The rule ${id} does not apply: ${need.lack}.`;
}

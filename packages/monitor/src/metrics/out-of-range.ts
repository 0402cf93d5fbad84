import { ABOVE_BIN, BELOW_BIN } from '@fairway/core';
import type { Metric } from './metric.ts';
import { normalQuantile } from './normal.ts';
import { properBins, variableOf } from './psi.ts';

/**
 * Share of one numeric input's values below the baseline's smallest or above its largest. The two counts stand beside the
 * value's own bin, so null where whoever counted did not keep them. Noise: of n new values, 2n / (A + 1) are expected
 * outside A old ones without any change; the level is that of a Poisson count (normal, with continuity correction).
 */
export const outOfRange: Metric = {
  name: 'outOfRange',
  title: 'out-of-range rate',
  isRate: true,
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: ['noise'],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    if (variable === undefined || variable.kind === 'category' || variable.n === 0) return null;
    const bins = new Map(counts.variables[name]);
    const [below, above] = [bins.get(BELOW_BIN), bins.get(ABOVE_BIN)];
    const sample = properBins(variable, counts).reduce((sum, count) => sum + count, 0);
    if (sample === 0 || (below === undefined && above === undefined)) return null;
    const expected = (2 * sample) / (variable.n + 1);
    return {
      value: ((below ?? 0) + (above ?? 0)) / sample,
      sample,
      noise: (probability) => (expected + 0.5 + normalQuantile(probability) * Math.sqrt(expected)) / sample,
    };
  },
  held: null,
};

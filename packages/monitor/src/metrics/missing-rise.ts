import { MISSING_BIN } from '@fairway/core';
import { totals } from './counts.ts';
import type { Metric } from './metric.ts';
import { normalQuantile } from './normal.ts';
import { variableOf } from './psi.ts';

/**
 * Missing rate of one input minus that of the baseline. Noise: the normal level of the difference of two rates, pooled.
 * Null where the baseline has no rows of the input.
 */
export const missingRise: Metric = {
  name: 'missingRise',
  title: 'rise of the missing rate',
  isRate: true,
  scope: 'each-input',
  needsLabels: false,
  better: 'lower',
  guards: ['noise'],
  evaluate: (counts, baseline, name) => {
    const variable = variableOf(baseline, name);
    const { predictions: n } = totals(counts);
    const a = (variable?.n ?? 0) + (variable?.missing ?? 0);
    if (variable === undefined || a === 0 || n === 0) return null;
    const missing = new Map(counts.variables[name]).get(MISSING_BIN) ?? 0;
    const pooled = (missing + variable.missing) / (a + n);
    const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / a + 1 / n));
    return {
      value: missing / n - variable.missing / a,
      sample: n,
      noise: (probability) => normalQuantile(probability) * deviation,
    };
  },
  held: null,
};

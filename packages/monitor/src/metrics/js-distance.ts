import { jsDivergence } from './js-divergence.ts';
import type { Metric } from './metric.ts';

/** Jensen–Shannon distance of one input: the square root of the divergence (base 2, right-closed bins), in [0, 1]. */
export const jsDistance: Metric = {
  ...jsDivergence,
  name: 'jsDistance',
  title: 'Jensen–Shannon distance',
  evaluate: (counts, baseline, name) => {
    const found = jsDivergence.evaluate(counts, baseline, name);
    return found === null ? null : { ...found, value: Math.sqrt(found.value) };
  },
};

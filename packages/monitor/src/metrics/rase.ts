import { brier } from './brier.ts';
import type { Evaluation, Metric } from './metric.ts';

/** Root average squared error (SAS: RASE): the square root of the Brier score. */
export const rase: Metric = {
  ...brier,
  name: 'rase',
  title: 'RASE',
  evaluate: (counts, baseline, variable) => root(brier.evaluate(counts, baseline, variable)),
  held: (baseline) => root(brier.held?.(baseline) ?? null),
};

const root = (found: Evaluation | null): Evaluation | null =>
  found === null ? null : { ...found, value: Math.sqrt(found.value) };

import { SCORE_BINS } from '@fairway/core';
import { scoredBins } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/** Mean score of all scored predictions, labelled or not; at most 5e-5 from the exact one. */
export const meanScore: Metric = {
  name: 'meanScore',
  scope: 'window',
  needsLabels: false,
  better: 'lower',
  guards: [],
  evaluate: (counts) => mean(scoredBins(counts)),
  held: (baseline) => mean(baseline.scores.map(([bin, nonEvents, events]) => [bin, nonEvents + events] as const)),
};

function mean(bins: ReadonlyArray<readonly [bin: number, count: number]>): Evaluation | null {
  const sample = bins.reduce((sum, [, count]) => sum + count, 0);
  if (sample === 0) return null;
  return { value: bins.reduce((sum, [bin, count]) => sum + ((bin + 0.5) / SCORE_BINS) * count, 0) / sample, sample };
}

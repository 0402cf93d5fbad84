import type { ScoreGroup } from '@fairway/core';
import { heldOutGroups, labelledGroups } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/** Expected calibration error: ten equal bins of the score, k = min(floor(10 p), 9); Σ n_k/N × |mean score − event rate|. */
export const ece: Metric = {
  name: 'ece',
  title: 'calibration error',
  scope: 'window',
  needsLabels: true,
  better: 'lower',
  guards: [],
  evaluate: (counts) => error(labelledGroups(counts)),
  held: (baseline) => error(heldOutGroups(baseline.scores)),
};

function error(groups: Iterable<ScoreGroup>): Evaluation | null {
  const bins = calibrationBins(groups);
  const sample = bins.reduce((sum, { rows }) => sum + rows, 0);
  if (sample === 0) return null;
  // n_k × |mean − mean| = |sum − sum|.
  return { value: bins.reduce((sum, { scores, events }) => sum + Math.abs(scores - events), 0) / sample, sample };
}

/** Sums per tenth of the score: what a calibration plot shows. */
export function calibrationBins(groups: Iterable<ScoreGroup>) {
  const bins = Array.from({ length: 10 }, () => ({ rows: 0, scores: 0, events: 0 }));
  for (const [score, negative, positive] of groups) {
    const bin = bins[Math.min(Math.floor(10 * score), 9)] as (typeof bins)[number];
    bin.rows += negative + positive;
    bin.scores += score * (negative + positive);
    bin.events += positive;
  }
  return bins;
}

import type { ScoreGroup } from '@fairway/core';
import { heldOutGroups, labelledGroups } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/**
 * Calibration in the large: mean score minus event rate of labelled, scored predictions. Negative: the model says less than
 * happens. Decay reads "higher is better", so for a model that says too much hold the value itself against a limit.
 */
export const calibration: Metric = {
  name: 'calibration',
  title: 'mean score minus event rate',
  scope: 'window',
  needsLabels: true,
  better: 'higher',
  guards: [],
  evaluate: (counts) => difference(labelledGroups(counts)),
  held: (baseline) => difference(heldOutGroups(baseline.scores)),
};

function difference(groups: Iterable<ScoreGroup>): Evaluation | null {
  let sum = 0;
  let sample = 0;
  for (const [score, negative, positive] of groups) {
    sum += score * (negative + positive) - positive;
    sample += negative + positive;
  }
  return sample === 0 ? null : { value: sum / sample, sample };
}

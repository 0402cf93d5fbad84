import type { ScoreGroup } from '@fairway/core';
import { heldOutGroups, labelledGroups } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/** A certain score that is wrong costs 34.5 instead of infinity. */
const CLIP = 1e-15;

/** Mean of −(y ln p + (1−y) ln(1−p)), p clipped to [1e-15, 1−1e-15]; from 1e-4 bins with the middle of each as score. */
export const logLoss: Metric = {
  name: 'logLoss',
  title: 'log loss',
  scope: 'window',
  needsLabels: true,
  better: 'lower',
  guards: [],
  evaluate: (counts) => mean(labelledGroups(counts)),
  held: (baseline) => mean(heldOutGroups(baseline.scores)),
};

function mean(groups: Iterable<ScoreGroup>): Evaluation | null {
  let loss = 0;
  let sample = 0;
  for (const [score, negative, positive] of groups) {
    const p = Math.min(1 - CLIP, Math.max(CLIP, score));
    loss -= positive * Math.log(p) + negative * Math.log(1 - p);
    sample += positive + negative;
  }
  return sample === 0 ? null : { value: loss / sample, sample };
}

import { heldOutGroups, scored } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/** Mean score of all scored predictions, labelled or not; at most 5e-5 from the exact one. */
export const meanScore: Metric = {
  name: 'meanScore',
  title: 'mean score',
  scope: 'window',
  needsLabels: false,
  better: 'lower',
  guards: [],
  evaluate: (counts) => mean(scored(counts)),
  held: ({ scores }) => mean(heldOutGroups(scores).map(([score, nonEvents, events]) => [score, nonEvents + events])),
};

function mean(groups: Iterable<readonly [score: number, count: number]>): Evaluation | null {
  let sum = 0;
  let sample = 0;
  for (const [score, count] of groups) {
    sum += score * count;
    sample += count;
  }
  return sample === 0 ? null : { value: sum / sample, sample };
}

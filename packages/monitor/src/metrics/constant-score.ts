import { heldOutGroups, scored } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/** Share of scored predictions that have the commonest score (1e-4 bin): 1 for a model that always answers the same. */
export const constantScore: Metric = {
  name: 'constantScore',
  title: 'share of the commonest score',
  isRate: true,
  scope: 'window',
  needsLabels: false,
  better: 'lower',
  guards: [],
  evaluate: (counts) => largest(scored(counts)),
  held: ({ scores }) => largest(heldOutGroups(scores).map(([score, nonEvents, events]) => [score, nonEvents + events])),
};

function largest(groups: Iterable<readonly [score: number, count: number]>): Evaluation | null {
  let most = 0;
  let sample = 0;
  for (const [, count] of groups) {
    most = Math.max(most, count);
    sample += count;
  }
  return sample === 0 ? null : { value: most / sample, sample };
}

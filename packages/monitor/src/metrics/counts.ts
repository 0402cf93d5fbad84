import { type ScoreGroup, SCORE_BINS } from '@fairway/core';
import type { WindowCounts } from '../ports.ts';

/** The middle of a 1e-4 score bin: at most 5e-5 away from every score in it. */
const midpoint = (bin: number): number => (bin + 0.5) / SCORE_BINS;

/** Labelled predictions with a score, as groups of equal score bins in ascending order. */
export function labelledGroups(counts: WindowCounts): ScoreGroup[] {
  return counts.scores
    .filter(([bin, , nonEvents, events]) => bin >= 0 && nonEvents + events > 0)
    .map(([bin, , nonEvents, events]) => [midpoint(bin), nonEvents, events]);
}

/** A baseline's held-out score counts in the same form. */
export const heldOutGroups = (scores: ReadonlyArray<ScoreGroup>): ScoreGroup[] =>
  scores.map(([bin, nonEvents, events]) => [midpoint(bin), nonEvents, events]);

/** Predictions per score bin, labelled or not; predictions without a score are left out. */
export function scoredBins(counts: WindowCounts): Array<readonly [bin: number, count: number]> {
  return counts.scores
    .filter(([bin]) => bin >= 0)
    .map(([bin, unlabelled, nonEvents, events]) => [bin, unlabelled + nonEvents + events] as const);
}

export type Totals = { readonly predictions: number; readonly labelled: number; readonly events: number };

export function totals(counts: WindowCounts): Totals {
  let predictions = 0;
  let labelled = 0;
  let events = 0;
  for (const [, unlabelled, negative, positive] of counts.scores) {
    predictions += unlabelled + negative + positive;
    labelled += negative + positive;
    events += positive;
  }
  return { predictions, labelled, events };
}

export const groupTotals = (groups: readonly ScoreGroup[]): { rows: number; events: number } =>
  groups.reduce(
    (sum, [, negative, positive]) => ({ rows: sum.rows + negative + positive, events: sum.events + positive }),
    {
      rows: 0,
      events: 0,
    },
  );

import { type Baseline, type ScoreGroup, SCORE_BINS, type ScoreTable } from '@fairway/core';
import type { WindowCounts } from '../ports.ts';

/** The middle of a 1e-4 score bin: at most 5e-5 away from every score in it. */
const midpoint = (bin: number): number => (bin + 0.5) / SCORE_BINS;

/** Predictions with one score (or of one score bin, at its middle): `[score, count]`. */
type Scored = readonly [score: number, count: number];

/** Labelled predictions with a score, as groups of equal scores (exact where known, else of 1e-4 bins) in ascending order. */
export function labelledGroups(counts: WindowCounts): Iterable<ScoreGroup> {
  if (counts.exact !== undefined) return labelledScores(counts.exact.scores);
  return counts.scores
    .filter(([bin, , nonEvents, events]) => bin >= 0 && nonEvents + events > 0)
    .map(([bin, , nonEvents, events]) => [midpoint(bin), nonEvents, events]);
}

/** The groups of a table that hold labels. */
export const labelledScores = (table: ScoreTable): Iterable<ScoreGroup> => ({
  [Symbol.iterator]: () => labelledOf(table),
});

/** A baseline's held-out score counts in the same form. */
export const heldOutGroups = (scores: ReadonlyArray<ScoreGroup>): ScoreGroup[] =>
  scores.map(([bin, nonEvents, events]) => [midpoint(bin), nonEvents, events]);

/** Predictions per score, labelled or not, in ascending order; predictions without a score are left out. */
export function scored(counts: WindowCounts): Iterable<Scored> {
  const { exact } = counts;
  if (exact !== undefined) return { [Symbol.iterator]: () => scoredOf(exact.scores) };
  return counts.scores
    .filter(([bin]) => bin >= 0)
    .map(([bin, unlabelled, nonEvents, events]) => [midpoint(bin), unlabelled + nonEvents + events]);
}

/** The scores that drift is measured against. */
export function referenceScored(counts: WindowCounts, baseline: Baseline | undefined): Iterable<Scored> {
  const exact = counts.exact?.reference;
  if (exact !== undefined) return { [Symbol.iterator]: () => scoredOf(exact) };
  return (baseline?.scores ?? []).map(([bin, nonEvents, events]) => [midpoint(bin), nonEvents + events]);
}

function* labelledOf({ scores, nonEvents, events }: ScoreTable): Generator<ScoreGroup> {
  for (let row = 0; row < scores.length; row++) {
    const [negative, positive] = [nonEvents[row] as number, events[row] as number];
    if (negative + positive > 0) yield [scores[row] as number, negative, positive];
  }
}

function* scoredOf({ scores, unlabelled, nonEvents, events }: ScoreTable): Generator<Scored> {
  for (let row = 0; row < scores.length; row++) {
    yield [scores[row] as number, (unlabelled[row] as number) + (nonEvents[row] as number) + (events[row] as number)];
  }
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

export function groupTotals(groups: Iterable<ScoreGroup>): { rows: number; events: number } {
  const sum = { rows: 0, events: 0 };
  for (const [, negative, positive] of groups) {
    sum.rows += negative + positive;
    sum.events += positive;
  }
  return sum;
}

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

/**
 * Rows of a table one after the other. A million of them are walked dozens of times, so every step hands out the same tuple
 * with new numbers: whoever wants to keep one copies it.
 */
function walk<T extends readonly number[]>(
  length: number,
  tuple: { -readonly [K in keyof T]: number },
  fill: (row: number) => boolean,
): Iterator<T> {
  const step = { done: false, value: tuple as unknown as T };
  const end = { done: true as const, value: undefined };
  let row = 0;
  return {
    next: () => {
      while (row < length) if (fill(row++)) return step;
      return end;
    },
  };
}

function labelledOf({ scores, nonEvents, events }: ScoreTable): Iterator<ScoreGroup> {
  const tuple: [number, number, number] = [0, 0, 0];
  return walk<ScoreGroup>(scores.length, tuple, (row) => {
    tuple[0] = scores[row] as number;
    tuple[1] = nonEvents[row] as number;
    tuple[2] = events[row] as number;
    return tuple[1] + tuple[2] > 0;
  });
}

function scoredOf({ scores, unlabelled, nonEvents, events }: ScoreTable): Iterator<Scored> {
  const tuple: [number, number] = [0, 0];
  return walk<Scored>(scores.length, tuple, (row) => {
    tuple[0] = scores[row] as number;
    tuple[1] = (unlabelled[row] as number) + (nonEvents[row] as number) + (events[row] as number);
    return true;
  });
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

import type { Baseline, ScoreGroup } from '@fairway/core';
import type { WindowCounts } from '../ports.ts';

/** Scores of each class × whether it was the true one, beside the other counts of classes (ADR 15). */
const SCORES = '$class/scores';
/** Steps of a probability: of one class against the rest, an AUC off by at most ½ Σ pos neg / (n₁ n₀), some ten-thousandths. */
const STEPS = 1000;
/** A labelled row gives a cell for each class; of more classes than these nothing is counted by score. */
export const MOST_SCORED_CLASSES = 20;

/** Cells of one labelled row, as `[variable, bin, count]`. `truth`: index of the true class. */
export function classScoreCells(
  probabilities: readonly number[],
  truth: number,
): Array<readonly [variable: string, bin: number, count: number]> {
  if (probabilities.length > MOST_SCORED_CLASSES) return [];
  return probabilities.map((p, at) => {
    const step = Math.min(Math.floor(p * STEPS), STEPS - 1);
    return [SCORES, (at * STEPS + step) * 2 + (at === truth ? 1 : 0), 1] as const;
  });
}

/** Labelled rows by the probability of one class, in ascending order: an event is that it was the true one. */
export function scoresOfClass(counts: Pick<WindowCounts, 'variables'>, at: number): ScoreGroup[] {
  const steps = new Map<number, [nonEvents: number, events: number]>();
  for (const [bin, count] of counts.variables[SCORES] ?? []) {
    const place = Math.floor(bin / 2);
    if (Math.floor(place / STEPS) !== at) continue;
    const step = place % STEPS;
    let cell = steps.get(step);
    if (cell === undefined) steps.set(step, (cell = [0, 0]));
    cell[bin % 2] = (cell[bin % 2] as number) + count;
  }
  return [...steps]
    .sort(([a], [b]) => a - b)
    .map(([step, [nonEvents, events]]) => [(step + 0.5) / STEPS, nonEvents, events]);
}

export const isClassScores = (variable: string): boolean => variable === SCORES;

export const hasClassScores = ({ variables }: Pick<WindowCounts, 'variables'>): boolean =>
  variables[SCORES] !== undefined;

/** A baseline without scored rows, or made before these were counted, holds no AUC of classes to decay from. */
export const lacksHeldOutScores = ({ classification }: Baseline): boolean =>
  classification !== undefined && !hasClassScores({ variables: classification.heldOut });

/**
 * Score groups in ascending order of score: `[score, non-events, events]`. Everything about ranking power follows
 * from them; ties are exact by construction.
 */
export type ScoreGroup = readonly [score: number, nonEvents: number, events: number];

/** Area under the ROC curve by mid-ranks: equal scores count one half. null when a class is empty. */
export function auc(groups: readonly ScoreGroup[]): number | null {
  let below = 0;
  let wins = 0;
  let events = 0;
  for (const [, negative, positive] of groups) {
    wins += positive * (below + negative / 2);
    below += negative;
    events += positive;
  }
  return events === 0 || below === 0 ? null : wins / (events * below);
}

/** Kolmogorov–Smirnov distance between the classes, read after all ties at a score. null when a class is empty. */
export function ksClasses(groups: readonly ScoreGroup[]): number | null {
  let negatives = 0;
  let positives = 0;
  for (const [, negative, positive] of groups) {
    negatives += negative;
    positives += positive;
  }
  if (negatives === 0 || positives === 0) return null;
  let seenNegatives = 0;
  let seenPositives = 0;
  let distance = 0;
  for (const [, negative, positive] of groups) {
    seenNegatives += negative;
    seenPositives += positive;
    distance = Math.max(distance, Math.abs(seenPositives / positives - seenNegatives / negatives));
  }
  return distance;
}

/** Groups equal scores; `scores[i]` is the probability of the event for row i, `labels[i]` 1 for an event. */
export function groupScores(scores: ArrayLike<number>, labels: ArrayLike<number>): ScoreGroup[] {
  const groups = new Map<number, [number, number, number]>();
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    const group = groups.get(score) ?? [score, 0, 0];
    group[labels[i] === 1 ? 2 : 1] += 1;
    groups.set(score, group);
  }
  return [...groups.values()].sort((a, b) => a[0] - b[0]);
}

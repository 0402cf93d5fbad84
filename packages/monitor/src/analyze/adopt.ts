import type { Baseline } from '@fairway/core';
import { isGood, lacksPerformance, withPerformanceOf } from '../app/first-good.ts';
import type { Policy } from '../policy/schema.ts';
import type { ExactCounts, WindowCounts } from '../ports.ts';
import type { Tally } from './tally.ts';
import type { Reference } from './window.ts';

type Looked = {
  readonly name: string;
  readonly tally: Tally;
  /** In the bins of the baseline as it is. */
  readonly counts: WindowCounts & { readonly exact: ExactCounts };
  readonly policy: Policy;
  /** No promise of the data is broken. */
  readonly isSound: boolean;
};

/**
 * What a window and later ones are held against, where the baseline file holds no scores: the predictions of the first window with
 * enough rows, and the performance of the first good one.
 */
export function adopt(given: Reference, looked: Looked): Reference {
  const { name, tally, counts, policy, isSound } = looked;
  if (!lacksPerformance(given.baseline)) return given;
  const baseline = tally.rows < policy.minimum.rows ? given.baseline : withPredictionsOf(given.baseline, tally);
  const isFirst = isSound && isGood(counts, given.baseline, policy);
  const held = isFirst ? withPerformanceOf(baseline, counts, name) : undefined;
  if (held === undefined) return { ...given, baseline };
  const scores = held.performance.rows === 0 ? given.scores : counts.exact.scores;
  return { ...given, baseline: held, scores, scoresFrom: name };
}

/** Bins of predicted numbers, or how often each class is predicted; nothing of how well. */
function withPredictionsOf(baseline: Baseline, { numbers, classes, plan, missingScores }: Tally): Baseline {
  if (numbers !== undefined && plan.score !== undefined && baseline.regression === undefined) {
    const { prediction } = numbers.reference(plan.score.name, missingScores);
    return { ...baseline, regression: { prediction, performance: { rows: 0, mae: 0, rmse: 0, rSquared: 0 } } };
  }
  const isKnown = baseline.classification?.predicted.some((count) => count > 0) ?? false;
  if (classes === undefined || classes.plan.columns.length === 0 || isKnown) return baseline;
  return { ...baseline, classification: { ...classes.reference(), heldOut: {} } };
}

import type { Baseline } from '@fairway/core';
import { metricOf } from '../metrics/registry.ts';
import type { WindowCounts } from '../ports.ts';

/** AUC then and now, the part of the loss that scores do not explain, and its standard error. */
export type Relation = {
  readonly from: number;
  readonly to: number;
  readonly unexplained: number;
  readonly error: number;
};

/**
 * The loss of AUC less what CBPE (monitoring reference §5) expects from the scores alone, taken as a difference to CBPE of the
 * baseline's own scores so that a model's miscalibration cancels. undefined without labels on both sides, or without a loss.
 */
export function relation(counts: WindowCounts, baseline: Baseline): Relation | undefined {
  const [auc, expected] = [metricOf('auc'), metricOf('cbpeAuc')];
  const [now, held] = [auc.evaluate(counts, baseline, ''), auc.held?.(baseline) ?? null];
  const heldCounts: WindowCounts = {
    variables: {},
    scores: baseline.scores.map(([bin, nonEvents, events]) => [bin, 0, nonEvents, events]),
  };
  const [then, since] = [expected.evaluate(heldCounts, baseline, ''), expected.evaluate(counts, baseline, '')];
  if (now === null || held === null || then === null || since === null) return undefined;
  const loss = held.value - now.value;
  if (loss <= 0 || now.standardError === undefined || held.standardError === undefined) return undefined;
  // A gain that the scores promise is no excuse: all of the loss is then unexplained, and no more than all.
  const unexplained = Math.min(loss, loss - (then.value - since.value));
  return { from: held.value, to: now.value, unexplained, error: Math.hypot(now.standardError, held.standardError) };
}

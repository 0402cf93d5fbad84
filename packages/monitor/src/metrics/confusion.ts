import type { ScoreGroup } from '@fairway/core';
import { heldOutGroups, labelledGroups } from './counts.ts';
import { shareOf } from './class-metric.ts';
import type { Evaluation, Metric } from './metric.ts';

type Confusion = { readonly tp: number; readonly fp: number; readonly fn: number; readonly tn: number };

const CUTOFF = 0.5;

/** "Event" is predicted from the cutoff on (p ≥ cutoff). From 1e-4 bins exact for a cutoff that is a multiple of 1e-4. */
export function confusionAt(groups: Iterable<ScoreGroup>, cutoff: number): Confusion {
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  for (const [score, negative, positive] of groups) {
    if (score >= cutoff) {
      tp += positive;
      fp += negative;
    } else {
      fn += positive;
      tn += negative;
    }
  }
  return { tp, fp, fn, tn };
}

function metric(
  name: string,
  title: string,
  read: (cells: Confusion, rows: number) => number,
  better: Metric['better'] = 'higher',
  guards: Metric['guards'] = [],
): Metric {
  const evaluate = (groups: Iterable<ScoreGroup>, cutoff = CUTOFF): Evaluation | null => {
    const cells = confusionAt(groups, cutoff);
    const sample = cells.tp + cells.fp + cells.fn + cells.tn;
    const value = read(cells, sample);
    // 0 / 0: nothing predicted, or a class is empty.
    return Number.isNaN(value) ? null : guards.length === 0 ? { value, sample } : shareOf(value, sample);
  };
  return {
    name,
    title,
    scope: 'window',
    needsLabels: true,
    better,
    guards,
    evaluate: (counts, _baseline, _variable, settings) => evaluate(labelledGroups(counts), settings?.cutoff),
    held: (baseline, settings) => evaluate(heldOutGroups(baseline.scores), settings?.cutoff),
  };
}

/** What a decision at the cutoff gets right and wrong. */
export const accuracy = metric('accuracy', 'accuracy', ({ tp, tn }, rows) => (tp + tn) / rows, 'higher', ['z']);
/** Misclassification rate, 1 − accuracy (SAS: MCE, `_MISC_`). */
export const mce = metric('mce', 'misclassification rate', ({ fp, fn }, rows) => (fp + fn) / rows, 'lower', ['z']);
export const precision = metric('precision', 'precision', ({ tp, fp }) => tp / (tp + fp));
export const recall = metric('recall', 'recall', ({ tp, fn }) => tp / (tp + fn));
export const specificity = metric('specificity', 'specificity', ({ tn, fp }) => tn / (tn + fp));
export const f1 = metric('f1', 'F1', ({ tp, fp, fn }) => (2 * tp) / (2 * tp + fp + fn));
/** Matthews correlation; null where a margin of the table is empty. */
export const mcc = metric(
  'mcc',
  'Matthews correlation',
  ({ tp, fp, fn, tn }) => (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
);

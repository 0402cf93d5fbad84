import { type Baseline, numericVariable, type RegressionBaseline, type Window } from '@fairway/core';
import { heldOut } from '../analyze/profile.ts';
import { isClassCount, matrixOf } from '../metrics/class-counts.ts';
import { labelledGroups } from '../metrics/counts.ts';
import { metricOf } from '../metrics/registry.ts';
import { regressionSums } from '../metrics/sums.ts';
import type { Policy } from '../policy/schema.ts';
import type { JudgeStore, WindowCounts } from '../ports.ts';
import { assess } from './judge.ts';
import { seen } from './judge-rule.ts';
import { periodAt } from './periods.ts';

/** Of a version's windows, the first so many may be what later ones are held against. */
const TRIED = 12;

/** The training data held no scores beside labels: nothing says how well the model once did. */
export function lacksPerformance({ classification, regression, performance }: Baseline): boolean {
  if (classification !== undefined) {
    const { classes, heldOut: variables } = classification;
    return (matrixOf({ variables, scores: [] }, classes.length)?.labelled ?? 0) === 0;
  }
  return regression === undefined ? performance.rows === 0 : regression.performance.rows === 0;
}

/**
 * Whether later windows may be held against this one: rows and labels are enough for the policy, and no rule alerts that can be
 * evaluated without it. A warning is no hindrance: an input that differs from the training data may differ for good.
 */
export function isGood(counts: WindowCounts, baseline: Baseline, policy: Policy): boolean {
  const { enoughRows, performanceKnown } = seen(counts, policy);
  return enoughRows && performanceKnown && assess({ counts, earlier: [], baseline, policy }).state !== 'alert';
}

/** The baseline with what such a window says of performance, and scores or classes; undefined where it says nothing (one class only). */
export function withPerformanceOf(baseline: Baseline, counts: WindowCounts, from: string): Baseline | undefined {
  const { classification, regression } = baseline;
  if (classification !== undefined) {
    const k = classification.classes.length;
    const predicted = matrixOf(counts, k)?.predicted.slice(0, k);
    const own = Object.entries(counts.variables).filter(([name]) => isClassCount(name));
    if (predicted === undefined) return undefined;
    const isKnown = classification.predicted.some((count) => count > 0);
    const adopted = { ...classification, ...(isKnown ? {} : { predicted }), heldOut: Object.fromEntries(own) };
    return { ...baseline, classification: adopted, performanceFrom: from };
  }
  if (regression !== undefined || counts.sums !== undefined) {
    const performance = errorsOf(counts);
    const prediction = regression?.prediction ?? NO_BINS;
    return performance && { ...baseline, regression: { prediction, performance }, performanceFrom: from };
  }
  const held = heldOut(labelledGroups(counts));
  return held.performance.rows === 0 ? undefined : { ...baseline, ...held, performanceFrom: from };
}

/** Predictions were counted in no bins of their own. */
const NO_BINS = numericVariable('', new Float64Array(), 0) as RegressionBaseline['prediction'];

function errorsOf(counts: WindowCounts): RegressionBaseline['performance'] | undefined {
  const rows = regressionSums(counts.sums)?.n ?? 0;
  const of = (name: 'mae' | 'rmse' | 'rSquared') => metricOf(name).evaluate(counts, undefined, '')?.value ?? 0;
  return rows === 0 ? undefined : { rows, mae: of('mae'), rmse: of('rmse'), rSquared: of('rSquared') };
}

/**
 * What a window is held against: its baseline, and where that holds no performance, that of the version's first good window in
 * the same environment. Which one it is can change while labels of early windows still come; every verdict keeps what it had.
 */
export async function yardstick(
  store: Pick<JudgeStore, 'counts' | 'firstStarts'>,
  window: Window,
  baseline: Baseline | undefined,
  policy: Policy,
): Promise<Baseline | undefined> {
  if (baseline === undefined || !lacksPerformance(baseline)) return baseline;
  const { every } = policy.period;
  for (const start of await store.firstStarts(window, every, TRIED)) {
    const first = { ...window, ...periodAt(every, start) };
    const counts = await store.counts(first);
    const found = isGood(counts, baseline, policy) ? withPerformanceOf(baseline, counts, first.period) : undefined;
    if (found !== undefined) return found;
  }
  return baseline;
}

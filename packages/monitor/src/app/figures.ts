import type { Baseline, WindowMetrics } from '@fairway/core';
import { isClassCount } from '../metrics/class-counts.ts';
import { hasClassScores } from '../metrics/class-scores.ts';
import { totals } from '../metrics/counts.ts';
import { isSegmentCount } from '../metrics/segment-counts.ts';
import { metricOf, type MetricName } from '../metrics/registry.ts';
import type { WindowCounts } from '../ports.ts';

/** 97.5 % quantile of the normal distribution: two-sided 95 % intervals. */
const NORMAL_95 = 1.959964;

/**
 * All figures of one window, from counts. With `performanceKnown` false (coverage below the floor, too few events) every
 * figure that rests on labels is null: a figure that cannot be relied on is not shown as one.
 */
export function windowMetrics(
  counts: WindowCounts,
  baseline: Baseline | undefined,
  performanceKnown: boolean,
): WindowMetrics {
  const evaluate = (name: MetricName, variable = '') => {
    const metric = metricOf(name);
    return metric.needsLabels && !performanceKnown ? null : metric.evaluate(counts, baseline, variable);
  };
  const value = (name: MetricName) => evaluate(name)?.value ?? null;
  const byInput = (name: MetricName) =>
    Object.fromEntries(inputNames(counts, baseline).map((input) => [input, evaluate(name, input)?.value ?? null]));
  const auc = evaluate('auc');
  const reach = auc?.standardError === undefined ? null : NORMAL_95 * auc.standardError;
  return {
    ...totals(counts),
    auc: auc?.value ?? null,
    aucInterval:
      auc === null || reach === null ? null : [Math.max(0, auc.value - reach), Math.min(1, auc.value + reach)],
    ks: value('ks'),
    gini: value('gini'),
    meanScore: value('meanScore'),
    eventRate: value('eventRate'),
    brier: value('brier'),
    psi: byInput('psi'),
    psiWithMissing: byInput('psiWithMissing'),
    missing: Object.fromEntries(Object.entries(byInput('missing')).map(([input, rate]) => [input, rate ?? 0])),
    scorePsi: value('scorePsi'),
    ...(counts.sums === undefined && baseline?.regression === undefined ? {} : { regression: numberFigures(value) }),
    ...(baseline?.classification === undefined
      ? {}
      : {
          classification: classFigures(
            baseline.classification.classes,
            (name, at) => evaluate(name, at)?.value ?? null,
            hasClassScores(counts),
          ),
        }),
  };
}

type Value = (name: MetricName, variable?: string) => number | null;

/** `scored`: probabilities are counted by class. Windows of before were not, and their verdicts do not speak of it. */
const classFigures = (
  classes: readonly string[],
  value: Value,
  scored: boolean,
): NonNullable<WindowMetrics['classification']> => ({
  accuracy: value('accuracy'),
  balancedAccuracy: value('balancedAccuracy'),
  macroF1: value('macroF1'),
  kappa: value('kappa'),
  logLoss: value('logLoss'),
  classPsi: value('classPsi'),
  recall: Object.fromEntries(classes.map((name) => [name, value('classRecall', name)])),
  ...(scored
    ? {
        macroAuc: value('macroAuc'),
        auc: Object.fromEntries(classes.map((name) => [name, value('classAuc', name)])),
      }
    : {}),
});

const numberFigures = (value: (name: MetricName) => number | null): NonNullable<WindowMetrics['regression']> => ({
  mae: value('mae'),
  rmse: value('rmse'),
  rSquared: value('rSquared'),
  predictionPsi: value('predictionPsi'),
  predictionDrift: value('predictionDrift'),
});

/** Inputs of the baseline in its order; without one, those that the counts know. Counts of classes and segments are none. */
export const inputNames = (counts: WindowCounts, baseline: Baseline | undefined): string[] =>
  baseline?.variables.map(({ name }) => name) ??
  Object.keys(counts.variables).filter((name) => !isClassCount(name) && !isSegmentCount(name));

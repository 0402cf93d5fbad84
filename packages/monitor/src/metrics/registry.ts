import { auc } from './auc.ts';
import { balancedAccuracy } from './balanced-accuracy.ts';
import { brier } from './brier.ts';
import { calibration } from './calibration.ts';
import { cbpeAccuracy, cbpeAuc } from './cbpe.ts';
import { chiSquare } from './chi-square-test.ts';
import { classAccuracy, classMce } from './class-accuracy.ts';
import { classAuc, macroAuc } from './class-auc.ts';
import { classChiSquare, classPsi } from './class-drift.ts';
import { macroF1, weightedF1 } from './class-f1.ts';
import { classBrier, classEce, classLogLoss } from './class-loss.ts';
import { orSeveral } from './class-metric.ts';
import { classPrecision, macroPrecision, weightedPrecision } from './class-precision.ts';
import { classRecall } from './class-recall.ts';
import { accuracy, f1, mcc, mce, precision, recall, specificity } from './confusion.ts';
import { constantScore } from './constant-score.ts';
import { p1, p25 } from './drifted-inputs.ts';
import { ece } from './ece.ts';
import { eventRate } from './event-rate.ts';
import { gini } from './gini.ts';
import { jsDistance } from './js-distance.ts';
import { jsDivergence } from './js-divergence.ts';
import { kappa } from './kappa.ts';
import { ks } from './ks.ts';
import { ksTwoSample } from './ks-two-sample.ts';
import { lInfinity } from './l-infinity.ts';
import { gains, lifts } from './lift.ts';
import { logLoss } from './log-loss.ts';
import { meanScore } from './mean-score.ts';
import type { Metric, Predicts } from './metric.ts';
import { missing } from './missing.ts';
import { missingRise } from './missing-rise.ts';
import { newCategory } from './new-category.ts';
import { outOfRange } from './out-of-range.ts';
import { predictionDrift, predictionPsi } from './prediction-drift.ts';
import { psi } from './psi.ts';
import { psiWithMissing } from './psi-with-missing.ts';
import { quantileDrift } from './quantile-drift.ts';
import { rase } from './rase.ts';
import { mae, rmse, rSquared } from './regression.ts';
import { scorePsi } from './score-psi.ts';
import { targetPsi } from './target-psi.ts';
import { noClass, unknownClass } from './unknown-class.ts';
import { wasserstein } from './wasserstein.ts';

/** Every metric a policy may name (docs/metrics.md). To add one: a file, a line here, rows in the table test. */
export const METRICS = {
  auc,
  gini,
  ks,
  ...lifts,
  ...gains,
  accuracy: orSeveral(accuracy, classAccuracy),
  mce: orSeveral(mce, classMce),
  precision,
  recall,
  specificity,
  f1,
  mcc,
  brier,
  rase,
  logLoss: orSeveral(logLoss, classLogLoss),
  ece,
  calibration,
  meanScore,
  eventRate,
  constantScore,
  scorePsi,
  targetPsi,
  cbpeAuc,
  cbpeAccuracy,
  mae,
  rmse,
  rSquared,
  predictionPsi,
  predictionDrift,
  balancedAccuracy,
  macroPrecision,
  weightedPrecision,
  macroF1,
  weightedF1,
  kappa,
  classRecall,
  classPrecision,
  macroAuc,
  classAuc,
  classBrier,
  classEce,
  classPsi,
  classChiSquare,
  unknownClass,
  noClass,
  p1,
  p25,
  psi,
  psiWithMissing,
  jsDivergence,
  jsDistance,
  chiSquare,
  ksTwoSample,
  wasserstein,
  quantileDrift,
  lInfinity,
  missing,
  missingRise,
  outOfRange,
  newCategory,
} as const;

export type MetricName = keyof typeof METRICS;

export const METRIC_NAMES = Object.keys(METRICS) as [MetricName, ...MetricName[]];

export const metricOf = (name: MetricName): Metric => METRICS[name];

/** Whether a model that predicts this can be asked for it. */
export const isOf = (name: MetricName, predicts: Predicts): boolean => {
  const { scope, of = ['events'] } = metricOf(name);
  return scope === 'each-input' || of.includes(predicts);
};

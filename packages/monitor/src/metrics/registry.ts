import { auc } from './auc.ts';
import { brier } from './brier.ts';
import { calibration } from './calibration.ts';
import { cbpeAccuracy, cbpeAuc } from './cbpe.ts';
import { chiSquare } from './chi-square-test.ts';
import { accuracy, f1, mcc, mce, precision, recall, specificity } from './confusion.ts';
import { constantScore } from './constant-score.ts';
import { p1, p25 } from './drifted-inputs.ts';
import { ece } from './ece.ts';
import { eventRate } from './event-rate.ts';
import { gini } from './gini.ts';
import { jsDistance } from './js-distance.ts';
import { jsDivergence } from './js-divergence.ts';
import { ks } from './ks.ts';
import { ksTwoSample } from './ks-two-sample.ts';
import { lInfinity } from './l-infinity.ts';
import { gains, lifts } from './lift.ts';
import { logLoss } from './log-loss.ts';
import { meanScore } from './mean-score.ts';
import type { Metric } from './metric.ts';
import { missing } from './missing.ts';
import { missingRise } from './missing-rise.ts';
import { newCategory } from './new-category.ts';
import { outOfRange } from './out-of-range.ts';
import { psi } from './psi.ts';
import { psiWithMissing } from './psi-with-missing.ts';
import { quantileDrift } from './quantile-drift.ts';
import { rase } from './rase.ts';
import { mae, rmse, rSquared } from './regression.ts';
import { scorePsi } from './score-psi.ts';
import { targetPsi } from './target-psi.ts';
import { wasserstein } from './wasserstein.ts';

/** Every metric a policy may name (docs/metrics.md). To add one: a file, a line here, rows in the table test. */
export const METRICS = {
  auc,
  gini,
  ks,
  ...lifts,
  ...gains,
  accuracy,
  mce,
  precision,
  recall,
  specificity,
  f1,
  mcc,
  brier,
  rase,
  logLoss,
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

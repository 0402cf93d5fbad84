import { auc } from './auc.ts';
import { brier } from './brier.ts';
import { eventRate } from './event-rate.ts';
import { gini } from './gini.ts';
import { ks } from './ks.ts';
import { meanScore } from './mean-score.ts';
import type { Metric } from './metric.ts';
import { missing } from './missing.ts';
import { psi } from './psi.ts';
import { psiWithMissing } from './psi-with-missing.ts';
import { scorePsi } from './score-psi.ts';

/** Every metric a policy may name. To add one: a file, a line here, rows in the table test. */
export const METRICS = { auc, brier, eventRate, gini, ks, meanScore, missing, psi, psiWithMissing, scorePsi } as const;

export type MetricName = keyof typeof METRICS;

export const METRIC_NAMES = Object.keys(METRICS) as [MetricName, ...MetricName[]];

export const metricOf = (name: MetricName): Metric => METRICS[name];

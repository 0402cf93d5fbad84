import type { Baseline } from '@fairway/core';
import { metricOf } from '../metrics/registry.ts';
import type { WindowCounts } from '../ports.ts';
import { largestShift } from './bins.ts';
import { type Found, figure, percent, STEP, SURE, Z_95 } from './found.ts';

/** What moved of a model that predicts a number, beside its inputs. */
export const numbersMoved = (counts: WindowCounts, baseline: Baseline): Array<Found | undefined> => [
  predictionsMoved(counts, baseline),
  errorRose(counts, baseline),
];

function predictionsMoved(counts: WindowCounts, baseline: Baseline): Found | undefined {
  const prediction = baseline.regression?.prediction;
  const psi = metricOf('predictionPsi').evaluate(counts, baseline, '');
  if (prediction === undefined || psi === null || !(psi.value > (psi.noise?.(SURE) ?? 0))) return undefined;
  const { bin, from, to } = largestShift(prediction, counts.variables[prediction.name] ?? []);
  const sentence = `The predictions moved (PSI ${figure(psi.value)}): the share of ${bin} went from ${percent(from)} to ${percent(to)}.`;
  return { kind: 'scores', metric: 'predictionPsi', value: psi.value, strength: psi.value / STEP.psi, sentence };
}

/**
 * The relation between inputs and outcome, where the error rose beyond chance and neither an input nor the predictions moved by a
 * step: no estimate says which error other predictions would have, as CBPE does of AUC, so nothing is said where they moved.
 */
function errorRose(counts: WindowCounts, baseline: Baseline): Found | undefined {
  const mae = metricOf('mae');
  const [now, held] = [mae.evaluate(counts, baseline, ''), mae.held?.(baseline) ?? null];
  if (now?.standardError === undefined || held?.standardError === undefined || held.value <= 0) return undefined;
  const rise = now.value - held.value;
  if (rise < Z_95 * Math.hypot(now.standardError, held.standardError) || hasShifted(counts, baseline)) return undefined;
  const sentence = `The mean absolute error rose from ${held.value.toPrecision(4)} to ${now.value.toPrecision(4)}, and neither the inputs nor the predictions moved: outcomes relate to the inputs otherwise than before.`;
  return { kind: 'relation', metric: 'mae', value: rise, strength: rise / held.value / STEP.error, sentence };
}

function hasShifted(counts: WindowCounts, baseline: Baseline): boolean {
  const psi = metricOf('psiWithMissing');
  const values = [
    metricOf('predictionPsi').evaluate(counts, baseline, ''),
    ...baseline.variables.map(({ name }) => psi.evaluate(counts, baseline, name)),
  ];
  return values.some((found) => found !== null && found.value >= STEP.psi && found.value > (found.noise?.(SURE) ?? 0));
}

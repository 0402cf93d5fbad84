import type { Baseline, Movement } from '@fairway/core';
import { predictedOf } from '../metrics/class-counts.ts';
import { metricOf } from '../metrics/registry.ts';
import type { WindowCounts } from '../ports.ts';
import { largestShift } from './bins.ts';
import { classesMoved } from './classes.ts';
import { type Found, figure, percent, points, signed, STEP, SURE, Z_95 } from './found.ts';
import { numbersMoved } from './numbers.ts';
import { relation } from './relation.ts';

/** Below a fifth of a step nothing is said. */
const LEAST = 0.2;

/**
 * What moved in a window against its baseline, strongest first: inputs, scores, labels, calibration, or the relation between
 * inputs and outcome (performance fell, and neither inputs nor scores explain it). Only what is larger than chance explains.
 * `earlier`: counts of the windows before, newest first. Pure; from counts alone, so it says nothing of segments of two variables.
 */
export function whatMoved(
  counts: WindowCounts,
  baseline: Baseline | undefined,
  earlier: readonly WindowCounts[] = [],
): Movement[] {
  if (baseline === undefined) return [];
  const found = movements(counts, baseline).filter(({ strength }) => strength >= LEAST);
  const previous = earlier[0] === undefined ? [] : movements(earlier[0], baseline);
  const sum = found.reduce((total, { strength }) => total + strength, 0);
  return found
    .toSorted((a, b) => b.strength - a.strength)
    .map((one) => {
      const before = previous.find(({ kind, variable }) => kind === one.kind && variable === one.variable);
      return { ...one, share: one.strength / sum, before: before?.value ?? null };
    });
}

function movements(counts: WindowCounts, baseline: Baseline): Found[] {
  const inputs = baseline.variables.map(({ name }) => inputMoved(counts, baseline, name));
  return [...inputs, ...OF[predictedOf(baseline)](counts, baseline)].filter((one) => one !== undefined);
}

const eventsMoved = (counts: WindowCounts, baseline: Baseline): Array<Found | undefined> =>
  [scoresMoved, labelsMoved, calibrationMoved, relationMoved].map((look) => look(counts, baseline));

const OF = { events: eventsMoved, numbers: numbersMoved, classes: classesMoved } as const;

function inputMoved(counts: WindowCounts, baseline: Baseline, variable: string): Found | undefined {
  const psi = metricOf('psiWithMissing').evaluate(counts, baseline, variable);
  const of = baseline.variables.find(({ name }) => name === variable);
  if (psi === null || of === undefined || !(psi.value > (psi.noise?.(SURE) ?? 0))) return undefined;
  const { bin, from, to } = largestShift(of, counts.variables[variable] ?? []);
  const sentence = `${variable} moved (PSI ${figure(psi.value)}): the share of ${bin} went from ${percent(from)} to ${percent(to)}.`;
  return {
    kind: 'inputs',
    variable,
    metric: 'psiWithMissing',
    value: psi.value,
    strength: psi.value / STEP.psi,
    sentence,
  };
}

function scoresMoved(counts: WindowCounts, baseline: Baseline): Found | undefined {
  const psi = metricOf('scorePsi').evaluate(counts, baseline, '');
  if (psi === null || !(psi.value > (psi.noise?.(SURE) ?? 0))) return undefined;
  const mean = metricOf('meanScore');
  const [now, held] = [mean.evaluate(counts, baseline, '')?.value, mean.held?.(baseline)?.value];
  const means =
    now === undefined || held === undefined ? '' : `: the mean score went from ${figure(held)} to ${figure(now)}`;
  const sentence = `The scores moved (PSI ${figure(psi.value)})${means}.`;
  return { kind: 'scores', metric: 'scorePsi', value: psi.value, strength: psi.value / STEP.psi, sentence };
}

function labelsMoved(counts: WindowCounts, baseline: Baseline): Found | undefined {
  const rates = eventRates(counts, baseline);
  if (rates === undefined) return undefined;
  const { now, held, error } = rates;
  const change = now.value - held.value;
  if (held.value === 0 || Math.abs(change) < Z_95 * error) return undefined;
  const sentence = `${change > 0 ? 'More' : 'Fewer'} events: ${percent(now.value)} of the labelled rows, ${percent(held.value)} in the baseline.`;
  const strength = Math.abs(change) / held.value / STEP.eventRate;
  return { kind: 'labels', metric: 'eventRate', value: now.value, strength, sentence };
}

function calibrationMoved(counts: WindowCounts, baseline: Baseline): Found | undefined {
  const rates = eventRates(counts, baseline);
  const metric = metricOf('calibration');
  const [now, held] = [metric.evaluate(counts, baseline, '')?.value, metric.held?.(baseline)?.value];
  if (rates === undefined || now === undefined || held === undefined || rates.held.value === 0) return undefined;
  const change = now - held;
  if (Math.abs(change) < Z_95 * rates.error) return undefined;
  const where = now < 0 ? 'below' : 'above';
  const sentence = `The mean score lies ${points(Math.abs(now))} ${where} the event rate; in the baseline the difference was ${signed(held)}.`;
  const strength = Math.abs(change) / rates.held.value / STEP.calibration;
  return { kind: 'calibration', metric: 'calibration', value: now, strength, sentence };
}

function relationMoved(counts: WindowCounts, baseline: Baseline): Found | undefined {
  const found = relation(counts, baseline);
  if (found === undefined || found.unexplained < Z_95 * found.error) return undefined;
  const { from, to, unexplained } = found;
  const explained = from - to - unexplained;
  const part = explained < 0.0005 ? 'none' : figure(explained);
  const sentence = `AUC fell from ${figure(from)} to ${figure(to)}, and the change of the scores explains ${part} of it: outcomes relate to the inputs otherwise than before.`;
  return { kind: 'relation', metric: 'auc', value: unexplained, strength: unexplained / from / STEP.auc, sentence };
}

function eventRates(counts: WindowCounts, baseline: Baseline) {
  const rate = metricOf('eventRate');
  const [now, held] = [rate.evaluate(counts, baseline, ''), rate.held?.(baseline) ?? null];
  if (now === null || held === null) return undefined;
  const variance = held.value * (1 - held.value);
  return { now, held, error: Math.sqrt(variance / now.sample + variance / held.sample) };
}

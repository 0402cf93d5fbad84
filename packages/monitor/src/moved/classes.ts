import type { Baseline } from '@fairway/core';
import { type ClassSums, classSums, type Matrix, matrixOf } from '../metrics/class-counts.ts';
import { allClasses } from '../metrics/class-metric.ts';
import { metricOf } from '../metrics/registry.ts';
import { stabilityIndex } from '../metrics/stability.ts';
import type { WindowCounts } from '../ports.ts';
import { type Found, figure, percent, points, signed, STEP, SURE, Z_95 } from './found.ts';

/** What moved of a model that predicts one of several classes, beside its inputs. */
export function classesMoved(counts: WindowCounts, baseline: Baseline): Array<Found | undefined> {
  const { classes = [], predicted = [], heldOut = {} } = baseline.classification ?? {};
  const held: WindowCounts = { variables: heldOut, scores: [] };
  const [now, then] = [matrixOf(counts, classes.length), matrixOf(held, classes.length)];
  if (now === undefined) return [];
  const [said, meant] = [classSums(counts), classSums(held)];
  return [
    sharesMoved('scores', classes, predicted, now.predicted.slice(0, classes.length)),
    ...(then === undefined ? [] : [sharesMoved('labels', classes, truths(then), truths(now))]),
    ...(said === undefined || meant === undefined ? [] : [calibrationMoved(said, meant)]),
    relationMoved(counts, baseline, said, meant),
  ];
}

const truths = (matrix: Matrix): number[] => allClasses(matrix).map(({ actual }) => actual);

const WORDS = {
  scores: { metric: 'classPsi', what: 'The predicted classes' },
  labels: { metric: 'targetPsi', what: 'The true classes' },
} as const;

function sharesMoved(
  kind: keyof typeof WORDS,
  classes: readonly string[],
  before: readonly number[],
  now: readonly number[],
): Found | undefined {
  const psi = stabilityIndex(before, now);
  if (psi === null || !(psi.value > (psi.noise?.(SURE) ?? 0))) return undefined;
  const [from, to] = [sharesOf(before), sharesOf(now)];
  const change = (at: number) => Math.abs((to[at] ?? 0) - (from[at] ?? 0));
  const most = from.reduce((best, _, at) => (change(at) > change(best) ? at : best), 0);
  const { metric, what } = WORDS[kind];
  const sentence = `${what} moved (PSI ${figure(psi.value)}): the share of ${classes[most]} went from ${percent(from[most] ?? 0)} to ${percent(to[most] ?? 0)}.`;
  return { kind, metric, value: psi.value, strength: psi.value / STEP.psi, sentence };
}

function sharesOf(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (all === 0 ? 0 : count / all));
}

/** Of rows whose probabilities are known: the mean one of the likeliest class, and how often that class is the true one. */
function meansOf({ rows, tenths }: ClassSums) {
  const total = (key: 'confidence' | 'correct') => tenths.reduce((sum, one) => sum + one[key], 0) / rows;
  return { rows, said: total('confidence'), right: total('correct') };
}

function calibrationMoved(counted: ClassSums, reference: ClassSums): Found | undefined {
  const [now, held] = [meansOf(counted), meansOf(reference)];
  const change = now.said - now.right - (held.said - held.right);
  const error = Math.sqrt(held.right * (1 - held.right) * (1 / now.rows + 1 / held.rows));
  if (held.right === 0 || Math.abs(change) < Z_95 * error) return undefined;
  const value = now.said - now.right;
  const sentence = `The probability of the likeliest class lies ${points(Math.abs(value))} ${value < 0 ? 'below' : 'above'} how often it is right; in the baseline the difference was ${signed(held.said - held.right)}.`;
  const strength = Math.abs(change) / held.right / STEP.accuracy;
  return { kind: 'calibration', metric: 'classEce', value, strength, sentence };
}

/**
 * The loss of accuracy less what the probabilities expect (the mean of that of the likeliest class, as a difference to the
 * baseline's, so that a model's miscalibration cancels); without probabilities, only where the predicted classes are as they were.
 */
function relationMoved(
  counts: WindowCounts,
  baseline: Baseline,
  said: ClassSums | undefined,
  meant: ClassSums | undefined,
): Found | undefined {
  const accuracy = metricOf('accuracy');
  const [now, held] = [accuracy.evaluate(counts, baseline, ''), accuracy.held?.(baseline) ?? null];
  if (now?.standardError === undefined || held?.standardError === undefined || held.value <= 0) return undefined;
  const loss = held.value - now.value;
  const isKnown = said !== undefined && meant !== undefined;
  const expected = isKnown ? meansOf(meant).said - meansOf(said).said : 0;
  if (!isKnown && (metricOf('classPsi').evaluate(counts, baseline, '')?.value ?? 0) >= STEP.psi) return undefined;
  // A gain that the probabilities promise is no excuse: all of the loss is then unexplained, and no more than all.
  const unexplained = Math.min(loss, loss - expected);
  if (unexplained <= 0 || unexplained < Z_95 * Math.hypot(now.standardError, held.standardError)) return undefined;
  const explained = loss - unexplained < 0.0005 ? 'none' : figure(loss - unexplained);
  const why = isKnown ? `what the model said explains ${explained} of it` : 'the predicted classes are as they were';
  const sentence = `Accuracy fell from ${figure(held.value)} to ${figure(now.value)}, and ${why}: outcomes relate to the inputs otherwise than before.`;
  const strength = unexplained / held.value / STEP.accuracy;
  return { kind: 'relation', metric: 'accuracy', value: unexplained, strength, sentence };
}

import type { Baseline } from '@fairway/core';
import type { ClassAnswer, SumCell, WindowCounts } from '../ports.ts';
import { classScoreCells, isClassScores } from './class-scores.ts';
import type { Predicts } from './metric.ts';
import { exactLimbs, limbTotal } from './sums.ts';

/**
 * Counts of a model that predicts one of several classes stand among the counts of variables, under names of their own: so they
 * are appended, added up, packed, rebuilt and kept as evidence with all others (ADR 15). `MATRIX`: predicted × true class.
 * `SUMS`: what log loss, Brier score and calibration need, in exact parts. Scores by class: metrics/class-scores.ts.
 */
export const MATRIX = '$class/matrix';
export const SUMS = '$class/sums';

/** Tenths of the highest probability, for the calibration error. */
export const TENTHS = 10;
/** What is summed over labelled rows whose probabilities are known: how many, −ln p(true), Σ(p − y)²; then by tenth. */
const SUM = { rows: 0, logLoss: 1, brier: 2, confidence: 3, rowsOf: 3 + TENTHS, correct: 3 + 2 * TENTHS } as const;
const LIMBS = 256;
const LOWEST_LIMB = -128;
/** As of log loss for two classes: p of the true class is at least this. */
const SMALLEST_P = 1e-15;

/** The column of a true class: K for one that the baseline does not know, K + 1 for none yet. */
export const truthSlot = (truth: number | null, k: number): number => {
  if (truth === null) return k + 1;
  return Number.isInteger(truth) && truth >= 0 && truth < k ? truth : k;
};

/** Cells of one row, as `[variable, bin, count]`. */
export function classCells(
  { predicted, probabilities }: ClassAnswer,
  truth: number | null,
  k: number,
): Array<readonly [variable: string, bin: number, count: number]> {
  const slot = truthSlot(truth, k);
  const row = predicted < 0 ? k : predicted;
  const matrix = [MATRIX, row * (k + 2) + slot, 1] as const;
  if (probabilities === null || slot >= k) return [matrix];
  const sums = sumCells(probabilities, slot).map(([sum, limb, n]) => [SUMS, sumBin(sum, limb), n] as const);
  return [matrix, ...sums, ...classScoreCells(probabilities, slot)];
}

const sumBin = (sum: number, limb: number): number => sum * LIMBS + limb - LOWEST_LIMB;

function sumCells(probabilities: readonly number[], truth: number): SumCell[] {
  const top = argMax(probabilities);
  const confidence = probabilities[top] as number;
  const tenth = Math.min(Math.floor(confidence * TENTHS), TENTHS - 1);
  const p = Math.min(1, Math.max(SMALLEST_P, probabilities[truth] as number));
  const brier = probabilities.reduce((sum, one, index) => sum + (one - (index === truth ? 1 : 0)) ** 2, 0);
  return [
    [SUM.rows, 0, 1],
    ...exactLimbs(SUM.logLoss, rounded(-Math.log(p))),
    ...exactLimbs(SUM.brier, rounded(brier)),
    ...exactLimbs(SUM.confidence + tenth, rounded(confidence)),
    [SUM.rowsOf + tenth, 0, 1],
    ...(top === truth ? [[SUM.correct + tenth, 0, 1] as const] : []),
  ];
}

/** To 2^-32: three limbs at most, and a logarithm that another engine rounds otherwise gives the same counts. */
const rounded = (value: number): number => Math.round(value * 2 ** 32) / 2 ** 32;

/** Of the largest value, the first. */
export const argMax = (values: readonly number[]): number =>
  values.reduce((best, value, index) => (value > (values[best] as number) ? index : best), 0);

/** Rows by predicted class (the last: none that is known) and true class (the last: one that the baseline lacks). */
export type Matrix = {
  readonly k: number;
  /** `cells[predicted][true]`, labelled rows alone. */
  readonly cells: readonly (readonly number[])[];
  /** Rows by predicted class, labelled or not. */
  readonly predicted: readonly number[];
  readonly labelled: number;
};

/** undefined: the counts are of no such model. */
export function matrixOf(counts: WindowCounts, k: number): Matrix | undefined {
  const bins = counts.variables[MATRIX];
  if (bins === undefined || k === 0) return undefined;
  const cells = Array.from({ length: k + 1 }, () => Array.from({ length: k + 1 }, () => 0));
  const predicted = Array.from({ length: k + 1 }, () => 0);
  let labelled = 0;
  for (const [bin, count] of bins) {
    const [row, slot] = [Math.floor(bin / (k + 2)), bin % (k + 2)];
    const cell = cells[row];
    if (cell === undefined) continue;
    predicted[row] = (predicted[row] as number) + count;
    if (slot > k) continue;
    cell[slot] = (cell[slot] as number) + count;
    labelled += count;
  }
  return { k, cells, predicted, labelled };
}

export const isClassCount = (variable: string): boolean =>
  variable === MATRIX || variable === SUMS || isClassScores(variable);

export const isClassCounts = (counts: WindowCounts): boolean => counts.variables[MATRIX] !== undefined;

/** Labels say whether an event happened: they are no numbers, and not one of several classes. */
export const isAboutEvents = (counts: WindowCounts): boolean => counts.sums === undefined && !isClassCounts(counts);

export const predictedOf = ({ classification, regression }: Baseline): Predicts =>
  classification !== undefined ? 'classes' : regression !== undefined ? 'numbers' : 'events';

export const classesOf = (baseline: Baseline | undefined): readonly string[] => baseline?.classification?.classes ?? [];

/** Sums over labelled rows with known probabilities; the last three by tenth of the highest probability. */
export type ClassSums = {
  readonly rows: number;
  readonly logLoss: number;
  readonly brier: number;
  readonly tenths: ReadonlyArray<{ readonly rows: number; readonly correct: number; readonly confidence: number }>;
};

export function classSums(counts: WindowCounts): ClassSums | undefined {
  const cells = new Map<number, SumCell[]>();
  for (const [bin, count] of counts.variables[SUMS] ?? []) {
    const sum = Math.floor(bin / LIMBS);
    const cell: SumCell = [sum, (bin % LIMBS) + LOWEST_LIMB, count];
    cells.set(sum, [...(cells.get(sum) ?? []), cell]);
  }
  const of = (sum: number) => limbTotal(cells.get(sum) ?? []);
  const rows = of(SUM.rows);
  if (rows === 0) return undefined;
  return {
    rows,
    logLoss: of(SUM.logLoss),
    brier: of(SUM.brier),
    tenths: Array.from({ length: TENTHS }, (_, at) => ({
      rows: of(SUM.rowsOf + at),
      correct: of(SUM.correct + at),
      confidence: of(SUM.confidence + at),
    })),
  };
}

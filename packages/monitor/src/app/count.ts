import {
  type Baseline,
  binOf,
  isMissing,
  iso,
  MISSING_BIN,
  type PredictionRecord,
  type ProfileCount,
  type Scalar,
  scoreBin,
} from '@fairway/core';
import type { LabelClass, ScoreCount } from '../ports.ts';

/** Score bin of a prediction whose answer holds no probability. */
const NO_SCORE_BIN = -1;
const HOUR_MS = 3_600_000;

/** Start of the hour of an RFC 3339 time. */
const hourOf = (time: string): string => iso(Math.floor(Date.parse(time) / HOUR_MS) * HOUR_MS);

/**
 * Counts of some predictions in the bins of their version's baseline, sorted by key. Without a baseline only missing
 * values are counted: a window without reference bins has no drift figures, but still rows, missing rates and scores.
 */
export function profileCounts(
  records: readonly PredictionRecord[],
  baselineOf: (record: PredictionRecord) => Baseline | undefined,
): ProfileCount[] {
  const cells = new Map<string, ProfileCount>();
  for (const record of records) {
    const hour = hourOf(record.time);
    for (const [variable, bin] of bins(record, baselineOf(record))) {
      const { model, version, environment } = record;
      add(cells, [model, version, environment, hour, variable, String(bin)], {
        model,
        version,
        environment,
        hour,
        variable,
        bin,
        count: 1,
      });
    }
  }
  return inKeyOrder(cells);
}

function bins(record: PredictionRecord, baseline: Baseline | undefined): Array<readonly [string, number]> {
  if (baseline !== undefined) {
    return baseline.variables.map(
      (variable) => [variable.name, binOf(variable, record.inputs[variable.name])] as const,
    );
  }
  return Object.entries(record.inputs)
    .filter(([, value]) => isMissing(value))
    .map(([name]) => [name, MISSING_BIN] as const);
}

type Scored = Pick<PredictionRecord, 'model' | 'version' | 'environment' | 'time'> & {
  readonly score: number | null;
  readonly label: LabelClass;
};

/** Score × label counts of some predictions, sorted by key. Every prediction counts once, with or without a score. */
export function scoreCounts(rows: readonly Scored[]): ScoreCount[] {
  return mergeScores(
    rows.map(({ model, version, environment, time, score, label }) => ({
      model,
      version,
      environment,
      hour: hourOf(time),
      bin: scoreBin(score) ?? NO_SCORE_BIN,
      label,
      count: 1,
    })),
  );
}

/** Adds up equal keys, drops what cancels out, sorts by key: two writers then lock rows in the same order. */
export function mergeScores(counts: readonly ScoreCount[]): ScoreCount[] {
  const cells = new Map<string, ScoreCount>();
  for (const cell of counts) {
    add(cells, [cell.model, cell.version, cell.environment, cell.hour, String(cell.bin), String(cell.label)], cell);
  }
  return inKeyOrder(cells).filter(({ count }) => count !== 0);
}

/** The probability of the event in a prediction's outputs, or null. */
export function scoreOf(outputs: Readonly<Record<string, Scalar>>, probability: string | undefined): number | null {
  const value = probability === undefined ? undefined : outputs[probability];
  return scoreBin(value) === undefined ? null : (value as number);
}

function add<T extends { readonly count: number }>(cells: Map<string, T>, key: readonly string[], cell: T): void {
  // U+0001 cannot stand in a name or a number, and sorts below everything that can.
  const joined = key.join('\u0001');
  const known = cells.get(joined);
  cells.set(joined, known === undefined ? cell : { ...cell, count: known.count + cell.count });
}

const inKeyOrder = <T>(cells: ReadonlyMap<string, T>): T[] =>
  [...cells.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cell]) => cell);

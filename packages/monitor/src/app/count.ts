import {
  type Baseline,
  BELOW_BIN,
  binOf,
  guardBinOf,
  isMissing,
  iso,
  MISSING_BIN,
  type PredictionRecord,
  type ProfileCount,
  type Scalar,
  scoreBin,
  type Target,
  type VariableBaseline,
} from '@fairway/core';
import { LARGEST_NUMBER, LOWEST_SUM, sumCells } from '../metrics/sums.ts';
import type { ScoreCount } from '../ports.ts';

/** Score bin of a prediction whose answer holds no probability. */
const NO_SCORE_BIN = -1;
const NO_LABEL = -1;
/** Class of a labelled prediction whose label is a number, or one of several classes. */
const LABELLED = 0;
const HOUR_MS = 3_600_000;
const LETTER_T = 0x54;
/** Shifts the bins without a score, or beside the edges, above zero. */
const BIN_OFFSET = 8;
/** Cells of score counts are told apart by one number: the lowest limb of a sum is -17. */
const CELL_OFFSET = 64;
const LABELS = 16;

/** Start of the hour of an RFC 3339 time. */
export const startOfHour = (time: string): string => iso(Math.floor(Date.parse(time) / HOUR_MS) * HOUR_MS);

/** Start of the hour of RFC 3339 times; those of one pack lie in few hours. In UTC the text before the minutes says it. */
function hours(): (time: string) => string {
  const known = new Map<string, string>();
  let [lastStart, lastHour] = ['', ''];
  return (time) => {
    const isUtc = time.charCodeAt(10) === LETTER_T && time.endsWith('Z');
    if (isUtc && lastStart !== '' && time.startsWith(lastStart)) return lastHour;
    const start = isUtc ? time.slice(0, 13) : time;
    let hour = known.get(start);
    if (hour === undefined) known.set(start, (hour = startOfHour(time)));
    if (isUtc) [lastStart, lastHour] = [start, hour];
    return hour;
  };
}

type Hourly = Pick<ProfileCount, 'model' | 'version' | 'environment' | 'hour'>;
type Owner = Omit<Hourly, 'hour'> & { readonly time: string };

/** One value of `T` for each model, version, environment and hour. Rows of one stand together mostly, so the last is tried first. */
function byHour<T>(make: () => T): { of(row: Owner): T; all(): Array<readonly [Hourly, T]> } {
  const start = hours();
  const groups = new Map<string, readonly [Hourly, T]>();
  let last: readonly [Hourly, T] | undefined;
  return {
    of: ({ model, version, environment, time }) => {
      const hour = start(time);
      const key = last?.[0];
      if (key?.hour === hour && key.model === model && key.version === version && key.environment === environment) {
        return (last as readonly [Hourly, T])[1];
      }
      const joined = keyOf({ model, version, environment, hour });
      last = groups.get(joined) ?? [{ model, version, environment, hour }, make()];
      groups.set(joined, last);
      return last[1];
    },
    all: () => [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group),
  };
}

// U+0001 cannot stand in a name or a number, and sorts below everything that can.
const keyOf = ({ model, version, environment, hour }: Hourly): string =>
  [model, version, environment, hour].join('\u0001');

/**
 * Counts of some predictions in the bins of their version's baseline, sorted by key, and beside them how many numbers lie
 * below and above what the baseline has seen. `BELOW_BIN` stands there even with a count of 0: it tells "none" from "not
 * counted". Without a baseline only missing values are counted: a window without reference bins has no drift figures, but
 * still rows, missing rates and scores.
 */
export function profileCounts(
  records: readonly PredictionRecord[],
  baselineOf: (record: PredictionRecord) => Baseline | undefined,
): ProfileCount[] {
  const groups = byHour((): Group => ({ bins: new Map(), last: undefined }));
  for (const record of records) countRecord(groups.of(record), record, baselineOf(record));
  const cells: ProfileCount[] = [];
  for (const [{ model, version, environment, hour }, { bins }] of groups.all()) {
    for (const [variable, { counts, guarded }] of [...bins].sort(([a], [b]) => (a < b ? -1 : 1))) {
      for (const [index, count] of counts.entries()) {
        const bin = index - BIN_OFFSET;
        if (count > 0 || (guarded && bin === BELOW_BIN)) {
          cells.push({ model, version, environment, hour, variable, bin, count });
        }
      }
    }
  }
  return cells;
}

/** Counts of one variable by bin + {@link BIN_OFFSET}. guarded: numbers outside the baseline's range are counted too. */
type Bins = { readonly counts: number[]; readonly guarded: boolean };

/** Bins by variable of one model, version, environment and hour. */
type Group = {
  readonly bins: Map<string, Bins>;
  last: { readonly baseline: Baseline; readonly bins: readonly Bins[] } | undefined;
};

function countRecord(
  group: Group,
  { inputs, outputs }: Pick<PredictionRecord, 'inputs' | 'outputs'>,
  baseline: Baseline | undefined,
): void {
  if (baseline === undefined) {
    for (const name in inputs) if (isMissing(inputs[name])) bump(binsOf(group.bins, name, false), MISSING_BIN);
    return;
  }
  const bins = groupBins(group, baseline);
  const { variables } = baseline;
  for (let i = 0; i < variables.length; i++) {
    const variable = variables[i] as VariableBaseline;
    countValue(bins[i] as Bins, variable, inputs[variable.name]);
  }
  const prediction = baseline.regression?.prediction;
  if (prediction !== undefined) {
    countValue(binsOf(group.bins, prediction.name, isGuarded(prediction)), prediction, outputs[prediction.name]);
  }
}

/** The bins of each variable of a baseline; rows of one baseline stand together mostly. */
function groupBins(group: Group, baseline: Baseline): readonly Bins[] {
  if (group.last?.baseline !== baseline) {
    const bins = baseline.variables.map((variable) => binsOf(group.bins, variable.name, isGuarded(variable)));
    group.last = { baseline, bins };
  }
  return group.last.bins;
}

function countValue(bins: Bins, variable: VariableBaseline, value: Scalar | undefined): void {
  const bin = binOf(variable, value);
  bump(bins, bin);
  // Only the outermost bins reach beyond the range: most values are not compared once more.
  if (bins.guarded && (bin === 0 || bin === variable.counts.length - 1)) {
    const guard = guardBinOf(variable, value);
    if (guard !== undefined) bump(bins, guard);
  }
}

const isGuarded = (variable: VariableBaseline): boolean => variable.kind === 'numeric' && variable.n > 0;

function binsOf(variables: Map<string, Bins>, name: string, guarded: boolean): Bins {
  let bins = variables.get(name);
  if (bins === undefined) variables.set(name, (bins = { counts: [], guarded }));
  return bins;
}

function bump({ counts }: Bins, bin: number): void {
  const index = bin + BIN_OFFSET;
  while (counts.length <= index) counts.push(0);
  counts[index] = (counts[index] as number) + 1;
}

type Scored = Pick<PredictionRecord, 'model' | 'version' | 'environment' | 'time'> & {
  readonly score: number | null;
  /** null: none yet. */
  readonly label: number | null;
  /** The model predicts a number. */
  readonly isNumber?: boolean;
  /** The model predicts one of several classes: which, app/class-answer.ts counts. */
  readonly classed?: object | undefined;
  /** How often it counts, 1 where nothing is said; below zero it is taken away. */
  readonly weight?: number;
};

/** Score × label counts of some predictions, sorted by key. Every prediction counts once, with or without a score. */
export function scoreCounts(rows: readonly Scored[]): ScoreCount[] {
  const groups = byHour(() => new Map<number, number>());
  for (const row of rows) {
    const { score, label, isNumber = false, classed, weight = 1 } = row;
    const cells = groups.of(row);
    if (classed !== undefined) addTo(cells, NO_SCORE_BIN, label === null ? NO_LABEL : LABELLED, weight);
    else if (!isNumber) addTo(cells, scoreBin(score) ?? NO_SCORE_BIN, label ?? NO_LABEL, weight);
    else {
      addTo(cells, NO_SCORE_BIN, label === null ? NO_LABEL : LABELLED, weight);
      const parts = score === null || label === null ? [] : sumCells(score, label);
      for (const [sum, limb, amount] of parts) addTo(cells, limb, sum, amount * weight);
    }
  }
  const counts: ScoreCount[] = [];
  for (const [{ model, version, environment, hour }, cells] of groups.all()) {
    for (const cell of Int32Array.from(cells.keys()).sort()) {
      const count = cells.get(cell) as number;
      const [bin, label] = [Math.floor(cell / LABELS) - CELL_OFFSET, (cell % LABELS) + LOWEST_SUM];
      if (count !== 0) counts.push({ model, version, environment, hour, bin, label, count });
    }
  }
  return counts;
}

function addTo(cells: Map<number, number>, bin: number, label: number, count: number): void {
  const cell = (bin + CELL_OFFSET) * LABELS + label - LOWEST_SUM;
  cells.set(cell, (cells.get(cell) ?? 0) + count);
}

/** The probability of the event in a prediction's outputs, or the predicted number; null where there is none. */
export function scoreOf(outputs: Readonly<Record<string, Scalar>>, target: Target | undefined): number | null {
  const value = target === undefined ? undefined : outputs[target.probability];
  const usable = isNumberTarget(target)
    ? typeof value === 'number' && Math.abs(value) <= LARGEST_NUMBER
    : scoreBin(value) !== undefined;
  return usable ? (value as number) : null;
}

export const isNumberTarget = (target: Target | undefined): boolean => target?.level === 'interval';

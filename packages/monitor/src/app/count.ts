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
  type VariableBaseline,
} from '@fairway/core';
import type { LabelClass, ScoreCount } from '../ports.ts';

/** Score bin of a prediction whose answer holds no probability. */
const NO_SCORE_BIN = -1;
const HOUR_MS = 3_600_000;
/** Shifts the bins without a score, or beside the edges, above zero. */
const BIN_OFFSET = 8;
const LABELS = 4;

/** Start of the hour of RFC 3339 times; those of one pack lie in few hours. In UTC the text before the minutes says it. */
function hours(): (time: string) => string {
  const known = new Map<string, string>();
  return (time) => {
    const start = time.charAt(10) === 'T' && time.endsWith('Z') ? time.slice(0, 13) : time;
    let hour = known.get(start);
    if (hour === undefined) known.set(start, (hour = iso(Math.floor(Date.parse(time) / HOUR_MS) * HOUR_MS)));
    return hour;
  };
}

type Hourly = Pick<ProfileCount, 'model' | 'version' | 'environment' | 'hour'>;
type Owner = Omit<Hourly, 'hour'> & { readonly time: string };

/** One value of `T` for each model, version, environment and hour. Rows of one stand together mostly, so the last is tried first. */
function byHour<T>(make: () => T): { of(row: Owner): T; all(): Array<readonly [Hourly, T]> } {
  const hourOf = hours();
  const groups = new Map<string, readonly [Hourly, T]>();
  let last: readonly [Hourly, T] | undefined;
  return {
    of: ({ model, version, environment, time }) => {
      const hour = hourOf(time);
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
  const groups = byHour(() => new Map<string, Bins>());
  for (const record of records) countRecord(groups.of(record), record.inputs, baselineOf(record));
  const cells: ProfileCount[] = [];
  for (const [{ model, version, environment, hour }, variables] of groups.all()) {
    for (const [variable, { counts, guarded }] of [...variables].sort(([a], [b]) => (a < b ? -1 : 1))) {
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

function countRecord(
  variables: Map<string, Bins>,
  inputs: PredictionRecord['inputs'],
  baseline: Baseline | undefined,
): void {
  if (baseline === undefined) {
    for (const name in inputs) if (isMissing(inputs[name])) bump(binsOf(variables, name, false), MISSING_BIN);
    return;
  }
  for (const variable of baseline.variables) {
    const value = inputs[variable.name];
    const bins = binsOf(variables, variable.name, isGuarded(variable));
    const bin = binOf(variable, value);
    bump(bins, bin);
    // Only the outermost bins reach beyond the range: most values are not compared once more.
    if (bins.guarded && (bin === 0 || bin === variable.counts.length - 1)) {
      const guard = guardBinOf(variable, value);
      if (guard !== undefined) bump(bins, guard);
    }
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
  readonly label: LabelClass;
};

/** Score × label counts of some predictions, sorted by key. Every prediction counts once, with or without a score. */
export function scoreCounts(rows: readonly Scored[]): ScoreCount[] {
  const groups = byHour(() => new Map<number, number>());
  for (const row of rows) {
    const bins = groups.of(row);
    const cell = ((scoreBin(row.score) ?? NO_SCORE_BIN) + 1) * LABELS + row.label + 1;
    bins.set(cell, (bins.get(cell) ?? 0) + 1);
  }
  const counts: ScoreCount[] = [];
  for (const [{ model, version, environment, hour }, cells] of groups.all()) {
    for (const cell of Int32Array.from(cells.keys()).sort()) {
      const label = ((cell % LABELS) - 1) as LabelClass;
      const count = cells.get(cell) as number;
      counts.push({ model, version, environment, hour, bin: Math.floor(cell / LABELS) - 1, label, count });
    }
  }
  return counts;
}

/** Adds up equal keys, drops what cancels out, sorts by key: two writers then lock rows in the same order. */
export function mergeScores(counts: readonly ScoreCount[]): ScoreCount[] {
  const cells = new Map<string, ScoreCount>();
  for (const cell of counts) {
    const key = [keyOf(cell), String(cell.bin), String(cell.label)].join('\u0001');
    const known = cells.get(key);
    cells.set(key, known === undefined ? cell : { ...cell, count: known.count + cell.count });
  }
  return [...cells]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, cell]) => cell)
    .filter(({ count }) => count !== 0);
}

/** The probability of the event in a prediction's outputs, or null. */
export function scoreOf(outputs: Readonly<Record<string, Scalar>>, probability: string | undefined): number | null {
  const value = probability === undefined ? undefined : outputs[probability];
  return scoreBin(value) === undefined ? null : (value as number);
}

import {
  ABOVE_BIN,
  auc,
  type Baseline,
  BELOW_BIN,
  binCounts,
  categoryVariable,
  firstAbove,
  INVALID_BIN,
  ksClasses,
  mergedScores,
  MISSING_BIN,
  numericVariable,
  scoreBin,
  type ScoreGroup,
  type ScoreTable,
  scoreTable,
  type TwoSample,
  twoSample,
  type VariableBaseline,
} from '@fairway/core';
import type { ExactCounts, WindowCounts } from '../ports.ts';
import { type CategoryTally, MOST_CATEGORIES, type NumericTally, type Tally, type VariableTally } from './tally.ts';

/** Categories that get a bin of their own; the others share one. */
export const TOP_CATEGORIES = 50;

export type BaselineMeta = Pick<Baseline, 'model' | 'version' | 'source'>;

/** Reference bins of every column that can have some; `leftOut` says in sentences which cannot. */
export function baselineOf(
  tally: Tally,
  meta: BaselineMeta,
): { readonly baseline: Baseline; readonly leftOut: readonly string[] } {
  const variables: VariableBaseline[] = [];
  const leftOut: string[] = [];
  for (const [name, one] of tally.variables) {
    const reason = unusable(one);
    if (reason !== undefined) leftOut.push(`${name} is left out: ${reason}.`);
    else if (one.kind === 'numeric') variables.push(numericOf(name, one));
    else variables.push(categoryVariable(name, one.texts, one.missing, TOP_CATEGORIES));
  }
  const rows = { definition: 1, ...meta, rows: tally.rows, events: tally.labels[1], variables } as const;
  const [, nonEvents, events] = tally.scores;
  const held = heldOut(mergedScores(nonEvents.sorted(), events.sorted()));
  for (const column of [nonEvents, events]) column.done();
  const { numbers, plan, missingScores } = tally;
  const regression =
    numbers === undefined || plan.score === undefined
      ? {}
      : { regression: numbers.reference(plan.score.name, missingScores) };
  const classification = tally.classes === undefined ? {} : { classification: tally.classes.reference() };
  return { baseline: { ...rows, ...held, ...regression, ...classification }, leftOut };
}

function numericOf(name: string, { values, missing }: NumericTally): VariableBaseline {
  const variable = numericVariable(name, values.sorted(), missing);
  values.done();
  return variable;
}

function unusable(tally: VariableTally): string | undefined {
  if (tally.kind === 'numeric') return undefined;
  if (tally.texts.size <= MOST_CATEGORIES) return undefined;
  return `it has more than ${MOST_CATEGORIES.toLocaleString('en-US')} different texts, so it looks like an identifier`;
}

/** All scores of a file with their labels. */
export function tableOf({ scores }: Tally): ScoreTable {
  const [unlabelled, nonEvents, events] = scores;
  const table = scoreTable(unlabelled.sorted(), nonEvents.sorted(), events.sorted());
  for (const column of scores) column.done();
  return table;
}

/** What decay and score drift are measured against, from labelled scores; no rows where one class is empty. */
export function heldOut(groups: Iterable<ScoreGroup>): Pick<Baseline, 'performance' | 'scores'> {
  const [area, distance] = [auc(groups), ksClasses(groups)];
  const scores: Array<[number, number, number]> = [];
  let rows = 0;
  let events = 0;
  for (const [score, negative, positive] of groups) {
    const bin = scoreBin(score) ?? 0;
    let last = scores.at(-1);
    if (last?.[0] !== bin) scores.push((last = [bin, 0, 0]));
    last[1] += negative;
    last[2] += positive;
    rows += negative + positive;
    events += positive;
  }
  const known = area !== null && distance !== null;
  return { performance: known ? { auc: area, ks: distance, rows, events } : NOT_KNOWN, scores };
}

const NOT_KNOWN = { auc: 0, ks: 0, rows: 0, events: 0 } as const;

/** Counts at 1e-4, as the recorder keeps them. */
function binned({ scores, unlabelled, nonEvents, events }: ScoreTable): Array<[number, number, number, number]> {
  const bins: Array<[number, number, number, number]> = [];
  for (let row = 0; row < scores.length; row++) {
    const bin = scoreBin(scores[row]) ?? 0;
    let last = bins.at(-1);
    if (last?.[0] !== bin) bins.push((last = [bin, 0, 0, 0]));
    last[1] += unlabelled[row] ?? 0;
    last[2] += nonEvents[row] ?? 0;
    last[3] += events[row] ?? 0;
  }
  return bins;
}

/**
 * A window's counts in the baseline's bins, as the recorder would keep them, and beside them what only single values give:
 * scores, and distances to the baseline's values. Memory: one column of each side at a time.
 */
export function countsOf(tally: Tally, baseline: Baseline, reference: Tally): WindowCounts & { exact: ExactCounts } {
  const variables: Record<string, Array<readonly [number, number]>> = {};
  const distances: Record<string, TwoSample> = {};
  for (const variable of baseline.variables) {
    const one = tally.variables.get(variable.name);
    if (one === undefined) {
      variables[variable.name] = [[MISSING_BIN, tally.rows]];
    } else if (variable.kind === 'category') {
      variables[variable.name] = categoryBins(variable, one as CategoryTally);
    } else {
      const { values } = one as NumericTally;
      const { values: before } = reference.variables.get(variable.name) as NumericTally;
      const sorted = values.sorted();
      variables[variable.name] = numericBins(variable, sorted, one as NumericTally);
      const distance = twoSample(before.sorted(), sorted);
      for (const column of [values, before]) column.done();
      if (distance !== null) distances[variable.name] = distance;
    }
  }
  const table = tableOf(tally);
  const [unlabelled, nonEvents, events] = tally.unscored;
  const without: ReadonlyArray<readonly [number, number, number, number]> =
    unlabelled + nonEvents + events === 0 ? [] : [[-1, unlabelled, nonEvents, events]];
  const exact = { scores: table, distances };
  return {
    variables: { ...variables, ...predictionBins(tally, baseline), ...tally.classes?.counts() },
    scores: [...without, ...binned(table)],
    exact,
    ...sumsOf(tally),
  };
}

function sumsOf({ numbers }: Tally): Pick<WindowCounts, 'sums'> {
  const sums = numbers?.sums() ?? [];
  return sums.length === 0 ? {} : { sums };
}

/** Predictions that are numbers, in the baseline's bins of them. */
export function predictionBins(tally: Tally, { regression }: Baseline): WindowCounts['variables'] {
  const { numbers, missingScores: missing, invalidScores: invalid } = tally;
  if (numbers === undefined || regression === undefined) return {};
  const bins = numericBins(regression.prediction, numbers.predictions.sorted(), { missing, invalid });
  numbers.predictions.done();
  return { [regression.prediction.name]: bins };
}

function numericBins(
  variable: Extract<VariableBaseline, { kind: 'numeric' }>,
  sorted: Float64Array,
  { missing, invalid }: Pick<NumericTally, 'missing' | 'invalid'>,
): Array<readonly [number, number]> {
  const proper = binCounts(variable.edges, sorted).map((count, bin) => [bin, count] as const);
  if (variable.n === 0) return [[INVALID_BIN, invalid], [MISSING_BIN, missing], ...proper];
  // Values before the first that is not below `min`: those ≤ the largest double under it.
  let below = 0;
  for (; below < sorted.length && (sorted[below] as number) < variable.min; below++);
  const above = sorted.length - firstAbove(sorted, variable.max);
  return [[ABOVE_BIN, above], [BELOW_BIN, below], [INVALID_BIN, invalid], [MISSING_BIN, missing], ...proper];
}

function categoryBins(
  variable: Extract<VariableBaseline, { kind: 'category' }>,
  { texts, missing }: CategoryTally,
): Array<readonly [number, number]> {
  const known = new Map(variable.categories.map((category, bin) => [category, bin]));
  const counts = variable.counts.map(() => 0);
  for (const [text, count] of texts) {
    const bin = known.get(text) ?? variable.categories.length;
    counts[bin] = (counts[bin] ?? 0) + count;
  }
  return [[MISSING_BIN, missing], ...counts.map((count, bin) => [bin, count] as const)];
}

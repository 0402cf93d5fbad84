import { type Baseline, MISSING_BIN, SCORE_BINS, type VariableBaseline } from '@fairway/core';
import { binNames } from '../moved/bins.ts';
import type { WindowCounts } from '../ports.ts';
import type { Predicts } from './metric.ts';
import { ERROR_SUMS, sumCells, SumTable } from './sums.ts';

/** Counts by segment stand among the counts of variables too: `$segment/0` of the first declared input, `$segment/0,1` of a pair (ADR 16). */
const SEGMENT = '$segment/';
export const MOST_SEGMENT_INPUTS = 4;
/** Bins of a declared input: the cells of two of them are still counted in 32 bits. `fairway baseline` makes 51 at most, other tools may not. */
export const MOST_SEGMENT_BINS = 1000;
/** Steps of the score: AUC of a segment is off by some thousandths. Pairs have some hundred times as many cells. */
const STEPS = { one: 100, two: 20 } as const;
/** Not labelled, non-event, event; of several classes not labelled, wrong, right, without steps of a score. */
const STATES = 3;
/** Of a number: sums of errors by limb (sums.ts), whose labels and limbs are moved above zero. */
const SUM_PLACES = { sums: 8, limbs: 64, firstLimb: -32 } as const;

/** Declared inputs, by their positions. */
type Positions = readonly number[];

const nameOf = (set: Positions): string => SEGMENT + set.join();
const stepsOf = (set: Positions): number => (set.length === 1 ? STEPS.one : STEPS.two);

/** Each declared input by itself, and, if wanted, every two of them, by their positions. */
export function segmentSets(count: number, pairs = true): Positions[] {
  const all = Array.from({ length: count }, (_, at) => at);
  return [...all.map((at) => [at]), ...(pairs ? all.flatMap((a) => all.slice(a + 1).map((b) => [a, b])) : [])];
}

/** What stands for all inputs where it is declared as one: is any of them missing (an input of that name comes first). */
export const ANY_MISSING = 'any-missing';

/** An input in whose bins segments are counted. `anyOf`: it is none, but tells whether any of these is missing. */
export type SegmentInput = VariableBaseline & { readonly anyOf?: readonly VariableBaseline[] };

/** Rows with all inputs, and rows that lack one. */
export const anyMissing = (variables: readonly VariableBaseline[]): SegmentInput => ({
  kind: 'category',
  name: ANY_MISSING,
  categories: ['no', 'yes'],
  counts: [0, 0, 0],
  n: 0,
  missing: 0,
  anyOf: variables,
});

/** The declared inputs, in their order. None where one of them is unknown, or has too many bins. */
export function segmentInputs({ segments = [], variables }: Pick<Baseline, 'segments' | 'variables'>): SegmentInput[] {
  const names = segments.slice(0, MOST_SEGMENT_INPUTS);
  const found = names.flatMap(
    (name) => variables.find((one) => one.name === name) ?? (name === ANY_MISSING ? anyMissing(variables) : []),
  );
  const isUsable = found.length === names.length && found.every(({ counts }) => counts.length <= MOST_SEGMENT_BINS);
  return isUsable ? found : [];
}

/** Missing values are a bin, the first; values that are no finite numbers are in no segment. */
const widthOf = ({ counts }: VariableBaseline): number => counts.length + 1;

/** What a row adds to its segments: its score and label, whether its class is right (null: not known yet), or how far off its number is. */
export type SegmentRow =
  | { readonly predicts: 'events'; readonly score: number | null; readonly label: number | null }
  | { readonly predicts: 'classes'; readonly isRight: boolean | null }
  | { readonly predicts: 'numbers'; readonly score: number | null; readonly label: number | null };

/** Cells of one row, as `[variable, bin, count]`. `bins`: of each declared input. */
export function segmentCells(
  inputs: readonly VariableBaseline[],
  bins: readonly number[],
  row: SegmentRow,
): Array<readonly [variable: string, bin: number, count: number]> {
  return segmentSets(inputs.length).flatMap((set) => {
    if (set.some((at) => (bins[at] as number) < MISSING_BIN)) return [];
    const cell = set.reduce(
      (all, at) => all * widthOf(inputs[at] as VariableBaseline) + (bins[at] as number) - MISSING_BIN,
      0,
    );
    return placesOf(row, set).map(
      ([place, count]) => [nameOf(set), cell * widthOfCell(row.predicts, set) + place, count] as const,
    );
  });
}

function widthOfCell(predicts: Predicts, set: Positions): number {
  if (predicts === 'numbers') return SUM_PLACES.sums * SUM_PLACES.limbs;
  return predicts === 'classes' ? STATES : (stepsOf(set) + 1) * STATES;
}

/** Of several classes and of numbers, only what is labelled is counted. */
function placesOf(row: SegmentRow, set: Positions): Array<readonly [place: number, count: number]> {
  if (row.predicts === 'classes') return row.isRight === null ? [] : [[row.isRight ? 2 : 1, 1]];
  const { score, label } = row;
  if (row.predicts === 'numbers') {
    const cells = score === null || label === null ? [] : sumCells(score, label);
    const kept = cells.filter(([sum]) => ERROR_SUMS.has(sum));
    return kept.map(([sum, limb, amount]) => [-sum * SUM_PLACES.limbs + limb - SUM_PLACES.firstLimb, amount]);
  }
  const steps = stepsOf(set);
  const step = score === null ? steps : Math.min(Math.floor(score * steps), steps - 1);
  return [[step * STATES + (label === null ? 0 : label === 1 ? 2 : 1), 1]];
}

/** One segment with its counts, in the form of a window's. `key` orders segments that are alike. */
export type SegmentCounts = {
  readonly key: string;
  readonly where: Readonly<Record<string, string>>;
  readonly counts: WindowCounts;
};

/** All segments of a set of declared inputs, and what they add up to. */
export function segmentsOf(
  counts: WindowCounts,
  inputs: readonly VariableBaseline[],
  set: Positions,
  predicts: Predicts = 'events',
): { readonly segments: readonly SegmentCounts[]; readonly whole: WindowCounts } {
  const width = widthOfCell(predicts, set);
  const cells = new Map<number, Counted>();
  const whole = counted();
  for (const [bin, count] of counts.variables[nameOf(set)] ?? []) {
    const cell = Math.floor(bin / width);
    let own = cells.get(cell);
    if (own === undefined) cells.set(cell, (own = counted()));
    for (const into of [own, whole]) addPlace(into, predicts, stepsOf(set), bin % width, count);
  }
  const segments = [...cells].map(([cell, own]) => ({
    key: `${nameOf(set)}/${cell}`,
    where: whereOf(cell, set, inputs),
    counts: windowOf(own),
  }));
  return { segments, whole: windowOf(whole) };
}

type Counted = { readonly scores: Map<number, ScoreCells>; readonly sums: SumTable };
const counted = (): Counted => ({ scores: new Map(), sums: new SumTable() });

/** What is right is read as an event of a model that always predicts one: its accuracy is that of the classes. */
const ALWAYS = SCORE_BINS - 1;

function addPlace({ scores, sums }: Counted, predicts: Predicts, steps: number, place: number, count: number): void {
  if (predicts === 'numbers') {
    sums.add([-Math.floor(place / SUM_PLACES.limbs), (place % SUM_PLACES.limbs) + SUM_PLACES.firstLimb, count]);
    return;
  }
  const [state, step] = [place % STATES, Math.floor(place / STATES)];
  const bin = predicts === 'classes' ? ALWAYS : step === steps ? -1 : middleOf(step, steps);
  add(scores, bin, state, count);
}

type ScoreCells = [unlabelled: number, nonEvents: number, events: number];

function add(scores: Map<number, ScoreCells>, bin: number, state: number, count: number): void {
  let cells = scores.get(bin);
  if (cells === undefined) scores.set(bin, (cells = [0, 0, 0]));
  cells[state] = (cells[state] as number) + count;
}

function windowOf({ scores, sums }: Counted): WindowCounts {
  const cells = sums.sums();
  return {
    variables: {},
    scores: [...scores].sort(([a], [b]) => a - b).map(([bin, counts]) => [bin, ...counts] as const),
    ...(cells.length === 0 ? {} : { sums: cells }),
  };
}

/** The 1e-4 score bin in the middle of a step. */
const middleOf = (step: number, steps: number): number => Math.floor(((step + 0.5) * SCORE_BINS) / steps);

function whereOf(cell: number, set: Positions, inputs: readonly VariableBaseline[]): Record<string, string> {
  const names: Array<[string, string]> = [];
  let rest = cell;
  for (const at of set.toReversed()) {
    const input = inputs[at] as VariableBaseline;
    const bin = (rest % widthOf(input)) + MISSING_BIN;
    rest = Math.floor(rest / widthOf(input));
    // Of all names the missing one is last, where -1 points.
    names.unshift([input.name, binNames(input).at(bin) ?? '']);
  }
  return Object.fromEntries(names);
}

export const isSegmentCount = (variable: string): boolean => variable.startsWith(SEGMENT);

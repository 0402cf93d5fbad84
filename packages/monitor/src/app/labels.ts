import { type ProfileCount, scoreBin } from '@fairway/core';
import type {
  EarlyLabel,
  LabelCorrection,
  LabelState,
  LabelStore,
  LabelTarget,
  LabelTransaction,
  LabelUpdate,
  ScoreCount,
} from '../ports.ts';
import { classCounts, classOf, truthOf } from './class-answer.ts';
import { scoreCounts } from './count.ts';
import { segmentCounts } from './segment-bins.ts';
import { type Aim, aim, aimKey, type GivenLabel, groupBy } from './labels-aim.ts';

export type Refusal = { readonly id: string; readonly reason: string };
/** `place`: that of the label among those given with it. */
export type PlacedRefusal = Refusal & Pick<GivenLabel, 'place'>;
/** What became of each given label; the numbers add up to how many were given. */
export type LabelOutcome = {
  readonly joined: number;
  readonly early: number;
  readonly unchanged: number;
  readonly corrected: number;
  readonly refused: readonly Refusal[];
};

/** No pack is recorded while a slice of labels without a prediction is looked at once more: some milliseconds. */
const EARLY_SLICE = 500;
const UNKNOWN_SOURCE = 'api';

/**
 * Books labels to their predictions: joined (late), kept for later (early), corrected, or a repetition that changes nothing.
 * Counts move in the hour of the **prediction**, in the same transaction. What is found is one transaction, beside which
 * packs are recorded; what is not found follows in slices, each alone with the packs (store/label-lock.ts). All of it may
 * be sent again after a failure: what is booked changes nothing.
 */
export async function addLabels(
  store: LabelStore,
  given: readonly GivenLabel[],
  refused: readonly PlacedRefusal[],
  source = UNKNOWN_SOURCE,
): Promise<LabelOutcome> {
  const book = (labels: readonly GivenLabel[], last: boolean) =>
    store.transaction(last ? 'no packs' : 'packs', async (transaction) => {
      const aims = await aim(transaction, labels);
      const unknown = last ? [] : labels.filter((label) => aims.get(aimKey(label)) === undefined);
      const found = unknown.length === 0 ? labels : labels.filter((label) => aims.get(aimKey(label)) !== undefined);
      const numbers = last && found.some(({ label }) => !isClass(label)) && (await transaction.anyNumbers());
      const names = namesIn(found, aims, numbers);
      const keys = names.length === 0 ? NO_KEYS : await transaction.keysOfNames(names);
      const plan = planLabels(found, { aims, numbers, keys, early: last ? await waiting(transaction, found) : [] });
      await transaction.write({ ...plan, source });
      return { outcome: plan.outcome, unknown };
    });
  const first = await book(given, false);
  const outcomes = [first.outcome];
  for (const slice of slices(first.unknown)) outcomes.push((await book(slice, true)).outcome);
  return sum(outcomes, refused);
}

const NO_KEYS: ReadonlyMap<string, number> = new Map();

/** Labels by name that need a key: of a class that the model lacks, or of one that nobody knows yet. */
function namesIn(labels: readonly GivenLabel[], aims: ReadonlyMap<string, Aim>, mayWait: boolean): string[] {
  const names = labels.flatMap((each) => {
    if (typeof each.label !== 'string') return [];
    const aimed = aims.get(aimKey(each));
    if (aimed === undefined) return mayWait ? [each.label] : [];
    const classes = 'reason' in aimed ? undefined : aimed.classes;
    return classes === undefined || classOf(classes, each.label) !== undefined ? [] : [each.label];
  });
  return [...new Set(names)];
}

const waiting = (transaction: LabelTransaction, labels: readonly GivenLabel[]) =>
  transaction.early([...new Set(labels.map(({ id }) => id))]);

/** Labels of one key stay together, in their order: the last one of them stands. */
function slices(labels: readonly GivenLabel[]): GivenLabel[][] {
  const all: GivenLabel[][] = [];
  for (const group of groupBy(labels, aimKey).values()) {
    const last = all.at(-1);
    if (last === undefined || last.length >= EARLY_SLICE) all.push([...group]);
    else last.push(...group);
  }
  return all;
}

function sum(outcomes: readonly LabelOutcome[], refused: readonly PlacedRefusal[]): LabelOutcome {
  const total = (key: 'joined' | 'early' | 'unchanged' | 'corrected') =>
    outcomes.reduce((all, outcome) => all + outcome[key], 0);
  return {
    joined: total('joined'),
    early: total('early'),
    unchanged: total('unchanged'),
    corrected: total('corrected'),
    refused: inOrder([...refused, ...outcomes.flatMap((outcome) => outcome.refused)]),
  };
}

/** As they came: what was found is booked first, and what is no label was never booked. */
const inOrder = (refused: readonly PlacedRefusal[]): Refusal[] =>
  refused.toSorted((a, b) => (a.place ?? 0) - (b.place ?? 0)).map(({ id, reason }) => ({ id, reason }));

/** 0 and 1 are all that most models know. */
export const isClass = (label: number | string): boolean => label === 0 || label === 1;
const NO_CLASS = 'label must be 0 or 1';
const MOST_NAMED = 20;

/** `numbers`: a label beyond 0 and 1 may wait, because some model predicts a number, or one of several classes. */
type Known = {
  readonly aims: ReadonlyMap<string, Aim>;
  readonly early: readonly EarlyLabel[];
  readonly numbers?: boolean;
  /** What stands for a name. */
  readonly keys?: ReadonlyMap<string, number>;
};

/** The label as it is kept, or why it cannot be one of this prediction (undefined: of one that has not come yet). */
function keptLabel(
  given: number | string,
  aimed: LabelTarget | undefined,
  { numbers = false, keys = NO_KEYS }: Known,
): number | { readonly reason: string } {
  if (aimed?.classes !== undefined) return truthOf(aimed.classes, given, keys) ?? noneOf(aimed.classes);
  if (typeof given === 'string') {
    if (aimed?.isNumber) return { reason: 'label must be a number' };
    return (aimed === undefined ? keys.get(given) : undefined) ?? { reason: NO_CLASS };
  }
  return isClass(given) || (aimed?.isNumber ?? numbers) ? given : { reason: NO_CLASS };
}

const noneOf = (classes: readonly string[]) => ({
  reason: `label must be a class, such as ${classes.slice(0, MOST_NAMED).join(', ')}, or its number from 0`,
});
type Plan = {
  readonly updates: readonly LabelUpdate[];
  readonly scores: readonly ScoreCount[];
  readonly moved: readonly ProfileCount[];
  readonly early: readonly EarlyLabel[];
  readonly corrections: readonly LabelCorrection[];
  readonly outcome: LabelOutcome;
};

/** Decides, label by label in the order given, what has to be written. */
export function planLabels(given: readonly GivenLabel[], known: Known): Plan {
  const now = new Map<string, LabelState>();
  const waits = new Map<string, LabelState>(known.early.map((each) => [each.key, each]));
  const updates = new Map<string, LabelUpdate>();
  const early = new Map<string, EarlyLabel>();
  const corrections: LabelCorrection[] = [];
  const targets = new Map<string, LabelTarget>();
  const tally = { joined: 0, early: 0, unchanged: 0, corrected: 0 };
  const refused: PlacedRefusal[] = [];
  for (const label of given) {
    const { id, observedAt = null } = label;
    const aimed = known.aims.get(aimKey(label));
    if (aimed !== undefined && 'reason' in aimed) {
      refused.push({ id, reason: aimed.reason, ...placeOf(label) });
      continue;
    }
    const kept = keptLabel(label.label, aimed, known);
    if (typeof kept !== 'number') {
      refused.push({ id, reason: kept.reason, ...placeOf(label) });
      continue;
    }
    const after = { label: kept, observedAt };
    const before = aimed === undefined ? waits.get(id) : (now.get(aimed.id) ?? aimed);
    const change = fate(before, kept, aimed === undefined ? 'early' : 'joined');
    tally[change] += 1;
    if (aimed !== undefined) targets.set(aimed.id, aimed);
    if (change === 'unchanged') continue;
    if (change === 'corrected' && before !== undefined)
      corrections.push({ key: aimed?.id ?? id, day: aimed?.day ?? null, before, after });
    if (aimed === undefined) {
      waits.set(id, after);
      early.set(id, { key: id, ...after });
    } else {
      now.set(aimed.id, after);
      updates.set(aimed.id, { id: aimed.id, day: aimed.day, ...after, isFirst: aimed.label === null });
    }
  }
  return {
    updates: [...updates.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    ...moves(targets.values(), now),
    early: [...early.values()],
    corrections,
    outcome: { ...tally, refused },
  };
}

const placeOf = ({ place }: GivenLabel): Pick<GivenLabel, 'place'> => (place === undefined ? {} : { place });

function fate<T extends string>(
  before: LabelState | undefined,
  label: number,
  first: T,
): T | 'unchanged' | 'corrected' {
  if (before === undefined || before.label === null) return first;
  return before.label === label ? 'unchanged' : 'corrected';
}

/** What the labels move, hour by hour. */
function moves(targets: Iterable<LabelTarget>, now: ReadonlyMap<string, LabelState>): Pick<Plan, 'scores' | 'moved'> {
  const [events, others]: [Moved[], Moved[]] = [[], []];
  for (const target of targets) {
    const after = now.get(target.id)?.label ?? target.label;
    if (after === target.label) continue;
    (target.isNumber || target.classed !== undefined ? others : events).push([target, after]);
  }
  const rows = replaced(others);
  const inSegments = replaced([...events, ...others].filter(([{ segmented }]) => segmented !== undefined));
  return {
    scores: [...eventMoves(events), ...scoreCounts(rows)],
    moved: [...classCounts(rows), ...segmentCounts(inSegments)],
  };
}

type Moved = readonly [target: LabelTarget, after: number | null];

/** A true value that goes takes away what it gave, to the last bit. */
const replaced = (moved: readonly Moved[]) =>
  moved.flatMap(([target, after]) => [
    { ...target, time: target.hour, weight: -1 },
    { ...target, time: target.hour, label: after },
  ]);

/** Cells of thousands of labels are told apart by numbers: texts cost ten times as much. */
function eventMoves(moved: readonly Moved[]): ScoreCount[] {
  const hours = new Map<string, { readonly of: LabelTarget; readonly cells: Map<number, number> }>();
  for (const [target, after] of moved) {
    const key = `${target.hour}\u0001${target.version}\u0001${target.environment}\u0001${target.model}`;
    let hour = hours.get(key);
    if (hour === undefined) hours.set(key, (hour = { of: target, cells: new Map() }));
    const bin = scoreBin(target.score) ?? -1;
    add(hour.cells, bin, target.label ?? -1, -1);
    add(hour.cells, bin, after ?? -1, 1);
  }
  return [...hours.values()].flatMap(({ of: { model, version, environment, hour }, cells }) =>
    [...cells].flatMap(([cell, count]) =>
      count === 0 ? [] : [{ model, version, environment, hour, bin: (cell >> 2) - 1, label: (cell & 3) - 1, count }],
    ),
  );
}

const add = (cells: Map<number, number>, bin: number, label: number, count: number): void => {
  const cell = ((bin + 1) << 2) | (label + 1);
  cells.set(cell, (cells.get(cell) ?? 0) + count);
};

import type {
  EarlyLabel,
  LabelCorrection,
  LabelStore,
  LabelTarget,
  LabelTransaction,
  LabelUpdate,
  ScoreCount,
} from '../ports.ts';
import { mergeScores } from './count.ts';
import { type Aim, aim, aimKey, type GivenLabel, groupBy } from './labels-aim.ts';

export type Refusal = { readonly id: string; readonly reason: string };
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
  refused: readonly Refusal[],
  source = UNKNOWN_SOURCE,
): Promise<LabelOutcome> {
  const book = (labels: readonly GivenLabel[], last: boolean) =>
    store.transaction(last ? 'no packs' : 'packs', async (transaction) => {
      const aims = await aim(transaction, labels);
      const unknown = last ? [] : labels.filter((label) => aims.get(aimKey(label)) === undefined);
      const found = unknown.length === 0 ? labels : labels.filter((label) => aims.get(aimKey(label)) !== undefined);
      const plan = planLabels(found, { aims, early: last ? await waiting(transaction, found) : [] });
      await transaction.write({ ...plan, source });
      return { outcome: plan.outcome, unknown };
    });
  const first = await book(given, false);
  const outcomes = [first.outcome];
  for (const slice of slices(first.unknown)) outcomes.push((await book(slice, true)).outcome);
  return sum(outcomes, refused);
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

function sum(outcomes: readonly LabelOutcome[], refused: readonly Refusal[]): LabelOutcome {
  const total = (key: 'joined' | 'early' | 'unchanged' | 'corrected') =>
    outcomes.reduce((all, outcome) => all + outcome[key], 0);
  return {
    joined: total('joined'),
    early: total('early'),
    unchanged: total('unchanged'),
    corrected: total('corrected'),
    refused: [...refused, ...outcomes.flatMap((outcome) => outcome.refused)],
  };
}

type Known = { readonly aims: ReadonlyMap<string, Aim>; readonly early: readonly EarlyLabel[] };
type Plan = {
  readonly updates: readonly LabelUpdate[];
  readonly scores: readonly ScoreCount[];
  readonly early: readonly EarlyLabel[];
  readonly corrections: readonly LabelCorrection[];
  readonly outcome: LabelOutcome;
};

type State = { readonly label: -1 | 0 | 1; readonly observedAt: string | null };

/** Decides, label by label in the order given, what has to be written. */
export function planLabels(given: readonly GivenLabel[], known: Known): Plan {
  const now = new Map<string, State>();
  const waits = new Map<string, State>(known.early.map((each) => [each.key, each]));
  const updates = new Map<string, LabelUpdate>();
  const early = new Map<string, EarlyLabel>();
  const corrections: LabelCorrection[] = [];
  const targets = new Map<string, LabelTarget>();
  const tally = { joined: 0, early: 0, unchanged: 0, corrected: 0 };
  const refused: Refusal[] = [];
  for (const label of given) {
    const { id, observedAt = null } = label;
    const aimed = known.aims.get(aimKey(label));
    if (aimed !== undefined && 'reason' in aimed) {
      refused.push({ id, reason: aimed.reason });
      continue;
    }
    const after = { label: label.label, observedAt };
    const before = aimed === undefined ? waits.get(id) : (now.get(aimed.id) ?? aimed);
    const change = fate(before, label.label, aimed === undefined ? 'early' : 'joined');
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
      updates.set(aimed.id, { id: aimed.id, day: aimed.day, ...after });
    }
  }
  return {
    updates: [...updates.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    scores: moves([...targets.values()], now),
    early: [...early.values()],
    corrections,
    outcome: { ...tally, refused },
  };
}

function fate<T extends string>(before: State | undefined, label: 0 | 1, first: T): T | 'unchanged' | 'corrected' {
  if (before === undefined || before.label === -1) return first;
  return before.label === label ? 'unchanged' : 'corrected';
}

function moves(targets: readonly LabelTarget[], now: ReadonlyMap<string, State>): ScoreCount[] {
  return mergeScores(
    targets.flatMap(({ id, model, version, environment, hour, bin, label }) => {
      const cell = { model, version, environment, hour, bin };
      return [
        { ...cell, label, count: -1 },
        { ...cell, label: now.get(id)?.label ?? label, count: 1 },
      ];
    }),
  );
}

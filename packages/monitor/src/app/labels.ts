import type { GroundTruth } from '@fairway/core';
import type { EarlyLabel, LabelStore, LabelTarget, LabelUpdate, ScoreCount } from '../ports.ts';
import { mergeScores } from './count.ts';

export type Refusal = { readonly id: string; readonly reason: string };
/** What became of each given label; the numbers add up to how many were given. */
export type LabelOutcome = {
  readonly joined: number;
  readonly early: number;
  readonly unchanged: number;
  readonly corrected: number;
  readonly refused: readonly Refusal[];
};

/**
 * Books labels to their predictions, all in one transaction: joined (late), kept for later (early), corrected, or a
 * repetition that changes nothing. Counts move in the hour of the **prediction**, in the same transaction.
 */
export function addLabels(
  store: LabelStore,
  given: readonly GroundTruth[],
  refused: readonly Refusal[],
): Promise<LabelOutcome> {
  const latest = new Map(given.map((label) => [label.id, label]));
  const keys = [...latest.keys()];
  return store.transaction(async (transaction) => {
    const known = { targets: await transaction.targets(keys), early: await transaction.early(keys) };
    const plan = planLabels(given, known);
    await transaction.write(plan);
    return { ...plan.outcome, refused: [...refused, ...plan.outcome.refused] };
  });
}

type Known = { readonly targets: readonly LabelTarget[]; readonly early: readonly EarlyLabel[] };
type Plan = {
  readonly updates: readonly LabelUpdate[];
  readonly scores: readonly ScoreCount[];
  readonly early: readonly EarlyLabel[];
  readonly outcome: LabelOutcome;
};

/** Decides, label by label in the order given, what has to be written. */
export function planLabels(given: readonly GroundTruth[], known: Known): Plan {
  const find = finder(known.targets);
  const now = new Map(known.targets.map((target) => [target.id, target.label]));
  const waiting = new Map<string, 0 | 1>(known.early.map(({ key, label }) => [key, label]));
  const updates = new Map<string, LabelUpdate>();
  const early = new Map<string, EarlyLabel>();
  const tally = { joined: 0, early: 0, unchanged: 0, corrected: 0 };
  const refused: Refusal[] = [];
  for (const { id, label, observedAt = null } of given) {
    const targets = find(id);
    const target = targets[0];
    if (targets.length > 1) {
      refused.push({ id, reason: `this correlation id belongs to ${targets.length} predictions; use prediction ids` });
    } else if (target === undefined) {
      tally[fate(waiting.get(id), label, 'early')] += 1;
      waiting.set(id, label);
      early.set(id, { key: id, label, observedAt });
    } else {
      const before = now.get(target.id);
      const change = fate(before === -1 ? undefined : before, label, 'joined');
      tally[change] += 1;
      now.set(target.id, label);
      if (change !== 'unchanged') updates.set(target.id, { id: target.id, label, observedAt });
    }
  }
  return {
    updates: [...updates.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    scores: moves(known.targets, now),
    early: [...early.values()],
    outcome: { ...tally, refused },
  };
}

function fate<T extends string>(before: 0 | 1 | undefined, label: 0 | 1, first: T): T | 'unchanged' | 'corrected' {
  if (before === undefined) return first;
  return before === label ? 'unchanged' : 'corrected';
}

/** A prediction id points to its prediction; any other key to the predictions that carry it as correlation id. */
function finder(targets: readonly LabelTarget[]): (key: string) => readonly LabelTarget[] {
  const byId = new Map(targets.map((target) => [target.id, [target]]));
  const byCorrelation = new Map<string, LabelTarget[]>();
  for (const target of targets) {
    if (target.correlationId === null) continue;
    const same = byCorrelation.get(target.correlationId);
    if (same === undefined) byCorrelation.set(target.correlationId, [target]);
    else same.push(target);
  }
  return (key) => byId.get(key) ?? byCorrelation.get(key) ?? [];
}

function moves(targets: readonly LabelTarget[], now: ReadonlyMap<string, LabelTarget['label']>): ScoreCount[] {
  return mergeScores(
    targets.flatMap(({ id, model, version, environment, hour, bin, label }) => {
      const cell = { model, version, environment, hour, bin };
      return [
        { ...cell, label, count: -1 },
        { ...cell, label: now.get(id) ?? label, count: 1 },
      ];
    }),
  );
}

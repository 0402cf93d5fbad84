import { dayOfId, type GroundTruth } from '@fairway/core';
import type { LabelTarget, LabelTransaction } from '../ports.ts';

/** `by`: the id is a correlation id, and is not looked for among our own ids. `place`: that among the labels given with it. */
export type GivenLabel = GroundTruth & { readonly by?: 'correlation'; readonly place?: number };

/** The prediction that a label is for, or why it cannot be for any. Labels without an aim are early. */
export type Aim = LabelTarget | { readonly reason: string };

const EXCHANGE_ID = /^[0-9a-f]{32}$/;
/** Of one correlation id at least so many carriers are looked at. */
const MOST_CARRIERS = 10;

/** Equal for labels that mean the same thing by the same text. */
export const aimKey = ({ id, by }: GivenLabel): string => (by === undefined ? id : `\u0001${id}`);

/**
 * Where labels point to: a prediction id, else the id of an exchange with one prediction, else the correlation id of one
 * prediction. A key that stands for several is refused and never guessed at: each of them is a case of its own.
 */
export async function aim(
  transaction: LabelTransaction,
  labels: readonly GivenLabel[],
): Promise<ReadonlyMap<string, Aim>> {
  const aims = new Map<string, Aim>();
  const own = [...new Set(labels.filter(({ by }) => by === undefined).map(({ id }) => id))];
  const byPrediction = await exchangesOf(transaction, own, aims);
  const ids = own.filter((id) => !aims.has(id) && !byPrediction.has(`${id}-0`));
  for (const target of await transaction.byId(dated([...new Set([...ids, ...byPrediction.keys()])]))) {
    aims.set(target.id, target);
    const exchange = byPrediction.get(target.id);
    if (exchange !== undefined) aims.set(exchange, target);
  }
  const rest = labels.filter((label) => !aims.has(aimKey(label)));
  const carriers = await carriersOf(transaction, [...new Set(rest.map(({ id }) => id))]);
  for (const label of rest) {
    const found = carriers.get(label.id) ?? [];
    const [target] = found;
    if (target !== undefined) aims.set(aimKey(label), found.length === 1 ? target : { reason: severalCarry(found) });
  }
  return aims;
}

/** Refuses exchanges that have not exactly one prediction; answers the prediction ids of the others, with their keys. */
async function exchangesOf(
  transaction: LabelTransaction,
  keys: readonly string[],
  aims: Map<string, Aim>,
): Promise<ReadonlyMap<string, string>> {
  // An id that names a day and is not the exchange's own form is a prediction's.
  const candidates = dated(keys).filter(({ id, day }) => day === undefined || EXCHANGE_ID.test(id));
  if (candidates.length === 0) return new Map();
  const sole = new Map<string, string>();
  for (const { id, instances, reason } of await transaction.exchanges(candidates)) {
    if (instances === 1) sole.set(`${id}-0`, id);
    else if (instances > 1) {
      aims.set(id, { reason: `this exchange holds ${instances} predictions; use prediction ids, ${id}-0 and so on` });
    } else aims.set(id, { reason: `this exchange holds no prediction (${reason ?? 'none was found'})` });
  }
  return sole;
}

async function carriersOf(
  transaction: LabelTransaction,
  keys: readonly string[],
): Promise<ReadonlyMap<string, LabelTarget[]>> {
  if (keys.length === 0) return new Map();
  return groupBy(await transaction.byCorrelation(keys, MOST_CARRIERS), ({ key }) => key);
}

function severalCarry(found: readonly LabelTarget[]): string {
  const many = found.length < MOST_CARRIERS ? String(found.length) : `at least ${found.length}`;
  return `this correlation id belongs to ${many} predictions; use prediction ids`;
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** By day, then id: neighbours in the index follow each other. */
const dated = (ids: readonly string[]) =>
  ids.map((id) => ({ id, day: dayOfId(id) })).sort((a, b) => (a.id < b.id ? -1 : 1));

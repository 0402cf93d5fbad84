import type { Turn } from './reconcile.ts';

/**
 * For the queue alone: it brings a change again whose turn is still under way here when the lock of the job has lapsed, because the
 * process was starved of CPU. Who comes second gets the answer of the first; as a busy change it would be asked for again each
 * second, by the CPU that is short.
 */
export function sharedTurns(turn: Turn): Turn {
  const underWay = new Map<string, ReturnType<Turn>>();
  return (id) => {
    const known = underWay.get(id);
    if (known !== undefined) return known;
    const mine = turn(id).finally(() => underWay.delete(id));
    underWay.set(id, mine);
    return mine;
  };
}

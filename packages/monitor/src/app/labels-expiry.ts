import type { LabelStore } from '../ports.ts';

const AT_ONCE = 10_000;

/** Gives up labels that have waited too long for their prediction: counted, no longer kept. true: there may be more. */
export async function expireLabels(store: Pick<LabelStore, 'expire'>, days: number): Promise<boolean> {
  return (await store.expire(days, AT_ONCE)) === AT_ONCE;
}

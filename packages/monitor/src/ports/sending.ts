import type { OutboxItem } from './judging.ts';

/** An outbox item that is being sent. `decided`: its payload is final. */
export type DueItem = OutboxItem & { readonly attempts: number; readonly createdAt: string; readonly decided: boolean };

/** How an attempt ended. held: not sent, by decision. */
export type Settlement =
  | { readonly state: 'accepted'; readonly link?: string }
  | { readonly state: 'held' | 'dead'; readonly reason: string }
  | { readonly state: 'pending'; readonly delayMs: number; readonly reason: string };

export type DecidedRetrain = { readonly deliveryId: string; readonly at: string; readonly open: boolean };

export type OutboxStore = {
  /** Takes one due item, alone, and settles it by what `work` answers. false: nothing was due. A crash frees the item at once. */
  attempt(kind: OutboxItem['kind'], work: (item: DueItem) => Promise<Settlement>): Promise<boolean>;
  /** Fixes what will be sent, before it is sent. false: another retrain of the model is on its way. */
  decide(item: DueItem, payload: unknown): Promise<boolean>;
  /** Retrains of the model that were decided and not given up. */
  decidedRetrains(model: string): Promise<readonly DecidedRetrain[]>;
};

import type { SourceReference } from './model.ts';

export type RegistryKind = SourceReference['registry'];

/**
 * What a hook says that happened in a registry. Nobody vouches for it: `names` are held against what the registry says when it is
 * asked, the rest is shown as claimed.
 */
export type HookClaim = {
  readonly registry: RegistryKind;
  readonly type?: string;
  /** Fields as {@link Champion.names} has them. */
  readonly names: Readonly<Record<string, string>>;
  readonly decision: string;
  readonly decidedBy?: string;
  readonly processId?: string;
  readonly taskName?: string;
  /** Name of the credential that brought it, or what else has proven the sender. */
  readonly via: string;
};

/** `unverified`: the registry did not say so, nor within a while. `failed`: nothing could be made of it. */
export type DeliveryState = 'received' | 'done' | 'unverified' | 'failed';

export type HookDelivery = {
  readonly id: string;
  readonly claim: HookClaim;
  readonly state: DeliveryState;
  /** RFC 3339. */
  readonly receivedAt: string;
  /** Looks so far. */
  readonly attempts: number;
  readonly reason?: string;
  /** The change that its champion has led to. */
  readonly change?: string;
};

export type Attended =
  | { readonly state: Exclude<DeliveryState, 'received'>; readonly reason: string; readonly change?: string }
  | { readonly state: 'received'; readonly reason: string; readonly delayMs: number };

/** Hooks that were taken, kept until something has come of each. */
export type Inbox = {
  /**
   * Durable when this answers. The same id again answers what is there; it is looked at anew only where the registry did not say
   * so before. `payload`: JSON as it came.
   */
  put(id: string, claim: HookClaim, payload: string): Promise<HookDelivery>;
  find(id: string): Promise<HookDelivery | undefined>;
  /** Takes the oldest due delivery; unless it is settled within `leaseMs`, another one takes it. `ageMs`: since it came. */
  take(leaseMs: number): Promise<(HookDelivery & { readonly ageMs: number }) | undefined>;
  /** Writes only while nobody else has taken the delivery since. */
  settle(taken: HookDelivery, outcome: Attended): Promise<void>;
};

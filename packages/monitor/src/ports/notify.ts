import type { CardAnswer, CardContent } from '@fairway/core';
import type { OutboxItem } from './judging.ts';

/** How people are told. */
export const CHANNELS = ['teams', 'webhook', 'mail'] as const;
export type Channel = (typeof CHANNELS)[number];

/** One channel to people. `accepted` means that the channel took it, not that anybody saw it. Never throws. */
export type Notifier = { send(content: CardContent): Promise<CardAnswer> };

/** An event of the outbox that no channel has been given yet. */
export type PendingCard = {
  readonly id: string;
  readonly event: string;
  readonly title: string;
  readonly model: string;
  readonly content: CardContent;
  /** Names of channels; undefined: all of them. */
  readonly to: readonly string[] | undefined;
  readonly link: string | undefined;
  /** ms since it happened. */
  readonly ageMs: number;
  /** It has waited for the end of quiet hours. */
  readonly held: boolean;
};

/** A message for one channel. The same `deliveryId` is kept once. `dead`: why nobody can send it. */
export type Delivery = {
  readonly deliveryId: string;
  readonly channel: string;
  readonly event: string;
  readonly title: string;
  readonly content: CardContent;
  readonly link: string | undefined;
  readonly dead?: string;
};

/** What becomes of pending cards: `done` have their deliveries, `hold` wait until a moment (ms). */
export type Plan = {
  readonly deliveries: readonly Delivery[];
  readonly done: readonly string[];
  readonly hold: { readonly ids: readonly string[]; readonly until: number; readonly reason: string } | undefined;
};

/** A delivery that is being sent; `ageMs` since it was queued, or resent by a person. */
export type DueDelivery = {
  readonly deliveryId: string;
  readonly content: CardContent;
  readonly attempts: number;
  readonly ageMs: number;
};

/** How an attempt ended. `pauseMs`: the channel wants nothing at all for so long. */
export type Settled =
  | { readonly state: 'accepted'; readonly reason?: string }
  | { readonly state: 'dead'; readonly reason: string }
  | { readonly state: 'pending'; readonly delayMs: number; readonly pauseMs: number; readonly reason: string };

export type NotificationState = 'pending' | 'accepted' | 'dead';
/** One message to people, as either service lists it. Channel `all`: it has no deliveries yet. */
export type Notification = {
  readonly deliveryId: string;
  readonly channel: string;
  readonly event: string;
  readonly title: string;
  readonly at: string;
  readonly state: NotificationState;
  readonly attempts: number;
  readonly reason?: string;
  readonly link?: string;
};

/** Of one channel; `lastAccepted` in seconds since the epoch. */
export type ChannelFigures = {
  readonly channel: string;
  readonly states: Readonly<Record<NotificationState, number>>;
  readonly lastAccepted: number | undefined;
};

/** `policy.yaml` of a model that was read and cannot be used. */
export type UnusablePolicy = { readonly model: string; readonly blob: string; readonly problem: string };

/** `policy.yaml` of a model by which its windows are judged, with what is wrong with it. */
export type RemarkedPolicy = { readonly model: string; readonly blob: string; readonly remark: string };

/** A retraining that was given up before the writer had it. */
export type DeadRetrain = {
  readonly deliveryId: string;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly reason: string;
};

/** Where predictions are dated more than an hour after now; `last`: their last hour. */
export type FutureHours = {
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly last: string;
};

export type CheckStore = {
  unusablePolicies(): Promise<readonly UnusablePolicy[]>;
  remarkedPolicies(): Promise<readonly RemarkedPolicy[]>;
  deadRetrains(): Promise<readonly DeadRetrain[]>;
  /** `now`: ms. */
  futureHours(now: number): Promise<readonly FutureHours[]>;
  /** Cards; the same key is kept once. */
  add(items: readonly OutboxItem[]): Promise<void>;
};

export type NotificationStore = {
  /** One transaction, one at a time however many monitors run: reads the due cards and does what `work` decides. Answers how many deliveries are new. */
  plan(work: (cards: readonly PendingCard[]) => Plan): Promise<number>;
  /** Takes the channel's oldest due delivery, alone, and settles it by what `work` answers. false: nothing was due. A crash frees it at once. */
  attempt(channel: Channel, work: (due: DueDelivery) => Promise<Settled>): Promise<boolean>;
  /** Newest first. */
  notifications(limit: number, state?: NotificationState): Promise<readonly Notification[]>;
  /** Queues dead deliveries of these channels again, under their ids; undefined: all of them. Answers their ids. */
  resend(ids: readonly string[] | undefined, channels: readonly string[]): Promise<readonly string[]>;
  figures(): Promise<readonly ChannelFigures[]>;
};

import type { CardContent, Phase } from '@fairway/core';
import type { Notice, StoredChange } from '../change.ts';

/** How the end of a deploy change is told to the workflow that approved it. */
export type Answer = {
  /** The same in every attempt, and for the same outcome of the same change. */
  readonly idempotencyKey: string;
  /** Of the approval. */
  readonly eventId: string;
  readonly changeId: string;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly outcome: Extract<Phase, 'live' | 'rejected' | 'failed' | 'rolled-back' | 'superseded'>;
  /** A sentence. */
  readonly reason?: string;
  /** URL. */
  readonly pullRequest?: string;
  readonly mergeCommit?: string;
  /** When the outcome was known, RFC 3339. */
  readonly at: string;
};

/** `via`: the kind of {@link Answers} that tells it; `to`: what the approval gave as `answerTo`. */
export type AnswerCall = { readonly via: string; readonly to?: string; readonly answer: Answer };

/** What the monitor tells in our stead, on its channels and in its hours. */
export type Announcement = { readonly model: string; readonly content: CardContent };

/** What each channel carries. */
export type ChannelContent = {
  readonly teams: CardContent;
  readonly webhook: CardContent;
  readonly monitor: Announcement;
  readonly answer: AnswerCall;
};
/** Those that tell people by themselves. */
export type PeopleChannel = Exclude<Channel, 'answer' | 'monitor'>;
export type Channel = keyof ChannelContent;

/** A row of the outbox. The same `deliveryId` is kept once. */
export type Outgoing = {
  readonly [C in Channel]: {
    readonly channel: C;
    readonly deliveryId: string;
    readonly event: string;
    readonly title: string;
    readonly content: ChannelContent[C];
  };
}[Channel];

/** What is to be told of a change as it is now, with the notice of the step that has moved it, if that has one. */
export type Tell = (stored: StoredChange, notice: Notice | undefined) => readonly Outgoing[];

export type Notification = {
  readonly deliveryId: string;
  readonly channel: Channel;
  readonly event: string;
  readonly title: string;
  readonly at: string;
  /** `accepted` says that the other side has taken it, not that anybody has read it. */
  readonly state: 'pending' | 'accepted' | 'dead';
  readonly attempts: number;
  /** Why the last attempt did not succeed, or not wholly. */
  readonly reason?: string;
  /** Of the pull request. */
  readonly link?: string;
};

export type Delivery<C extends Channel> = {
  readonly content: ChannelContent[C];
  /** That have failed. */
  readonly attempts: number;
  /** Since it was put into the outbox. */
  readonly ageMs: number;
};
export type DeliveryResult =
  | { readonly kind: 'accepted'; readonly reason?: string }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason?: string }
  | { readonly kind: 'dead'; readonly reason: string };

export type Outbox = {
  /** Newest first; those of one channel, or in one state, when it is given. */
  list(channel?: Channel, state?: Notification['state']): Promise<Notification[]>;
  /** Queues dead deliveries again, under their ids; undefined: all of them. Answers their ids. */
  resend(ids?: readonly string[]): Promise<string[]>;
  /**
   * Takes the oldest due delivery of a channel, sends it by `send` and keeps the result; false when none is due. Of one
   * change, a later one waits until those before it are accepted or dead.
   */
  relay<C extends Channel>(channel: C, send: (delivery: Delivery<C>) => Promise<DeliveryResult>): Promise<boolean>;
};

/** `reason` of an accepted one: what could not be told, and no retry would. */
export type NotifierAnswer =
  | { readonly kind: 'accepted'; readonly reason?: string }
  | { readonly kind: 'retry'; readonly afterMs?: number; readonly reason?: string }
  | { readonly kind: 'dead'; readonly reason: string };

/** Tells people. */
export type Notifier<Content = CardContent> = { send(content: Content): Promise<NotifierAnswer> };

/** Tells a workflow. At least once: the other side knows a repetition by `idempotencyKey`. */
export type Answers = { answer(answer: Answer, to: string | undefined): Promise<NotifierAnswer> };

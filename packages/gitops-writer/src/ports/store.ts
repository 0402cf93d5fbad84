import type { Change, ChangeKind, FairwayError, Phase } from '@fairway/core';
import type { ChangeEvidence, ChangeFacts, Notice, StoredChange, Transition, Withdrawal } from '../change.ts';
import type { LoadedVersion } from './model.ts';

export type Accepted = { readonly created: boolean; readonly change: Change };
/** `event`: approval event id or dedupe key; the same one is the same change. */
export type NewChange = { readonly change: Change; readonly evidence: ChangeEvidence; readonly event: string };
/** `notice`: what people are told of it. */
export type RejectedChange = NewChange & { readonly notice: Notice };

/** The door: each call is written whole or not at all, and what it answers is durable. Approvals at the same time share a transaction. */
export type ChangeIntake = {
  /** The change that an approval event or dedupe key has led to. */
  byEvent(kind: ChangeKind, event: string): Promise<StoredChange | undefined>;
  acceptApproval(change: NewChange, loaded: LoadedVersion): Promise<Accepted>;
  /**
   * Keeps a decision that cannot be followed as a change that has ended (`rejected`, with its reason), and puts out the answer to
   * who decided. The same event again is the same change.
   */
  reject(change: RejectedChange): Promise<Accepted>;
  /**
   * Accepts a retrain, rollback or retire change. While one of the same kind is open for the model (retrain), or for model
   * and environment (rollback, retire), that one answers, and takes over the newer request if it is a retraining.
   */
  acceptRequest(change: NewChange): Promise<Accepted>;
  /** Marks an open retraining that is not merged yet as withdrawn. undefined: there is none of that id any more. */
  withdraw(id: string, withdrawal: Withdrawal): Promise<Change | undefined>;
};

export type ChangeFilter = { readonly [K in 'model' | 'kind' | 'environment']?: string | undefined } & {
  readonly phases?: readonly Phase[] | undefined;
};
/** At most `limit` changes, those after the `cursor` of an earlier page. */
export type Page = { readonly limit: number; readonly cursor?: string | undefined };
export type ChangePage = { readonly changes: readonly Change[]; readonly next?: string };

export type ChangeReader = {
  find(id: string): Promise<StoredChange | undefined>;
  /** Newest first. */
  list(filter: ChangeFilter, page: Page): Promise<ChangePage>;
  /** The newest deploy change of the same model and environment that is younger than this one and has been proposed. */
  newer(change: Change): Promise<Change | undefined>;
  /** The change of each model and environment whose version is live: deploys, and rollbacks in the place of what they restored. */
  live(): Promise<Change[]>;
  /** Changes of a model and environment that have been live, newest first: what a rollback may go back to. */
  wereLive(model: string, environment: string): Promise<StoredChange[]>;
  /** Open changes (of a kind) for a model and environment. */
  open(model: string, environment: string, kind: ChangeKind): Promise<Change[]>;
  /** The newest open rollback of a model away from these bytes, in whatever environment. */
  rollbackOf(model: string, digest: string): Promise<StoredChange | undefined>;
  /** The newest deploy change of this version that has been merged. */
  merged(model: string, version: string): Promise<Change | undefined>;
  /** Event id of the approval that came first for these bytes. */
  firstApproval(model: string, version: string, digest: string): Promise<string | undefined>;
  /** What the registry said when the approval came; with the golden cases of this sha256, if one is given. */
  loaded(model: string, version: string, digest: string, golden?: string): Promise<LoadedVersion | undefined>;
};

/** How a turn of a change ends; all of it is written in one transaction. */
export type Outcome =
  | { readonly kind: 'moved'; readonly transition: Transition; readonly at: string }
  | {
      readonly kind: 'waiting';
      readonly reason: string;
      readonly delayMs: number;
      readonly at: string;
      readonly facts?: ChangeFacts;
    }
  | { readonly kind: 'retry'; readonly error: FairwayError; readonly delayMs: number; readonly at: string };

/**
 * A change that nobody else works on until it is released; a killed process releases it by dying. `settle` writes only
 * while the claim still holds, and answers the change as it is now with the milliseconds until its next turn
 * (undefined: it has ended); it may be called for several turns one after the other.
 */
export type Claim = {
  readonly stored: StoredChange;
  settle(outcome: Outcome): Promise<{ readonly stored: StoredChange; readonly dueInMs: number | undefined }>;
  release(): Promise<void>;
};

/** Exclusive turns on changes, kept in the database. */
export type Claims = {
  /** `busy`: somebody else works on it. Not due yet: in how many ms. undefined: it has ended. */
  claim(id: string): Promise<Claim | 'busy' | { readonly dueInMs: number | undefined }>;
  /** Ids of open changes whose time has come a second ago or more: those that the queue has not brought. */
  due(limit: number): Promise<string[]>;
  /** Makes changes due at once that wait for one of these Argo CD Applications. Answers their ids. */
  hintApplications(names: readonly string[]): Promise<string[]>;
};

/** The work queue in front of the claims: one job for each open change. Losing it loses nothing, the claims know what is due. */
export type WorkQueue = {
  /** Puts changes to the front of what is worked on; those already waiting are only moved up. */
  wake(ids: readonly string[]): Promise<void>;
  /** Puts changes that nobody knows yet behind the others. */
  add(ids: readonly string[]): Promise<void>;
};

/** A change as Git and the forge tell it. `loaded`: what its commit holds of the model version. */
export type RestoredChange = NewChange & { readonly facts: ChangeFacts; readonly loaded?: LoadedVersion };
/** `known`: it is there already. `late`: what is there of the same model and environment is younger, and must stay the newest. */
export type Restoration = 'restored' | 'known' | 'late';

/** Gives back what a lost database held. */
export type ChangeRestorer = {
  /** Adds changes that are not there, in this order, in one transaction; answers what became of each. */
  restore(changes: readonly RestoredChange[]): Promise<Restoration[]>;
};

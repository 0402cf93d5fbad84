import type { ProfileCount } from '@fairway/core';
import type { Classed, EarlyLabel, ScoreCount, Segmented } from './recording.ts';

/** A label and when its outcome was seen; null: none yet. */
export type LabelState = { readonly label: number | null; readonly observedAt: string | null };

/** Stored prediction that a label points to. */
export type LabelTarget = LabelState & {
  readonly day: string;
  readonly id: string;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly hour: string;
  readonly score: number | null;
  /** Its model predicts a number. */
  readonly isNumber: boolean;
  /** Its model predicts one of these classes, and what it said here. */
  readonly classes?: readonly string[] | undefined;
  readonly classed?: Classed | undefined;
  readonly segmented?: Segmented | undefined;
};
export type LabelUpdate = {
  readonly day: string;
  readonly id: string;
  readonly label: number;
  readonly observedAt: string | null;
  /** The prediction has had none. */
  readonly isFirst: boolean;
};

/** A label that replaced another one: of a prediction (`key` is its id), or of a key that still waits (no day). */
export type LabelCorrection = {
  readonly key: string;
  readonly day: string | null;
  readonly before: LabelState;
  readonly after: LabelState;
};

/** A stored exchange; `reason`: why it holds no predictions, if it holds none. */
export type LabelExchange = { readonly id: string; readonly instances: number; readonly reason: string | null };

/** One open transaction of a label request; no other one is open. */
export type LabelTransaction = {
  /** Predictions by their ids; `day` as `dayOfId` has it. */
  byId(ids: ReadonlyArray<{ readonly id: string; readonly day: string | undefined }>): Promise<readonly LabelTarget[]>;
  /** Predictions of these correlation ids: all, or at least `limit` of each that has so many. */
  byCorrelation(keys: readonly string[], limit: number): Promise<ReadonlyArray<LabelTarget & { readonly key: string }>>;
  /** Exchanges by their ids. Those that name no day are found by their first prediction: without one, they are not. */
  exchanges(
    ids: ReadonlyArray<{ readonly id: string; readonly day: string | undefined }>,
  ): Promise<readonly LabelExchange[]>;
  early(keys: readonly string[]): Promise<readonly EarlyLabel[]>;
  /** Whether any known model predicts a number, or one of several classes. */
  anyNumbers(): Promise<boolean>;
  /** Keys of names of classes: what stands for them as a label. */
  keysOfNames(names: readonly string[]): Promise<ReadonlyMap<string, number>>;
  write(change: {
    readonly updates: readonly LabelUpdate[];
    readonly scores: readonly ScoreCount[];
    /** Counts of classes and segments. */
    readonly moved: readonly ProfileCount[];
    readonly early: readonly EarlyLabel[];
    readonly corrections: readonly LabelCorrection[];
    /** Who gave the labels, for the history. */
    readonly source: string;
  }): Promise<void>;
};

export type Account = {
  readonly stored: number;
  readonly labelled: number;
  readonly quarantined: number;
  readonly exchanges: number;
  readonly packs: number;
  /** What samples left out: no loss. */
  readonly sampledOut: number;
  readonly dropped: Readonly<Record<string, number>>;
};

/** Labels that wait for their predictions, and those that were given up. */
export type WaitingLabels = { readonly waiting: number; readonly expired: number };

export type LabelStore = {
  /** `no packs`: none is recorded meanwhile. */
  transaction<T>(beside: 'packs' | 'no packs', work: (transaction: LabelTransaction) => Promise<T>): Promise<T>;
  /** Gives up early labels that have waited for more than `days`; answers how many, at most `limit`. */
  expire(days: number, limit: number): Promise<number>;
  waiting(): Promise<WaitingLabels>;
  account(model: string | undefined): Promise<Account>;
};

/**
 * What became of the exchanges of one agent process (an epoch):
 * captured = recorded + quarantined + sampledOut + dropped + inFlight + unexplained.
 */
export type EpochAccount = {
  readonly model: string;
  readonly agent: string;
  readonly epoch: string;
  readonly captured: number;
  readonly recorded: number;
  /** Rows that the recorded exchanges gave. */
  readonly predictions: number;
  readonly quarantined: number;
  readonly sampledOut: number;
  readonly dropped: Readonly<Record<string, number>>;
  /** Numbers whose pack may still come: a later pack came less than two minutes ago. */
  readonly inFlight: number;
  readonly unexplained: number;
  readonly lastPackAt: string;
};

/** Numbers of an epoch that are in no pack; explained: by then the agent had counted as many losses. */
export type Gap = {
  readonly model: string;
  readonly agent: string;
  readonly epoch: string;
  readonly firstMissing: number;
  readonly lastMissing: number;
  readonly unexplained: number;
  readonly noticedAt: string;
};

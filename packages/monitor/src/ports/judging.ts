import type { ScoreTable, TwoSample, Verdict, Window } from '@fairway/core';
import type { PeriodLength } from '../policy/schema.ts';
import type { KeptEvidence } from './evidence.ts';
import type { PolicyFile } from './writer.ts';

/** All counts of one window: what a check looks at, and all it looks at. */
export type WindowCounts = {
  /** `[bin, count]` by variable, bins ascending. */
  readonly variables: Readonly<Record<string, ReadonlyArray<readonly [bin: number, count: number]>>>;
  /** `[score bin (-1 = no score), unlabelled, non-events, events]`, bins ascending. */
  readonly scores: ReadonlyArray<readonly [bin: number, unlabelled: number, nonEvents: number, events: number]>;
  /** Only where single values are at hand (`fairway analyze`): what bins can no more than bound. Never stored. */
  readonly exact?: ExactCounts;
  /** Of a model whose target is a number: sums over its labelled predictions, in exact parts (metrics/sums.ts), ascending. */
  readonly sums?: readonly SumCell[];
};

/** `amount × 2^(24 × limb)` of the sum that is kept under this label. */
export type SumCell = readonly [label: number, limb: number, amount: number];

export type ExactCounts = {
  readonly scores: ScoreTable;
  /** Those that decay and score drift are measured against, where there are any. */
  readonly reference?: ScoreTable;
  /** Distance to the baseline's own values, by variable. */
  readonly distances: Readonly<Record<string, TwoSample>>;
};

/** Sums that add up over windows; y is the true value, e = prediction − y. */
export type RegressionSums = {
  readonly n: number;
  readonly sumY: number;
  readonly sumYY: number;
  readonly sumAbsoluteError: number;
  readonly sumSquaredError: number;
};

/** A window whose counts changed since it was judged, with the marks to take away once it is judged. */
export type DirtyWindow = {
  readonly version: string;
  readonly environment: string;
  readonly start: string;
  readonly marks: ReadonlyArray<{ readonly hour: string; readonly revision: string }>;
  /** Some of its predictions came before their version was known, and are not in its bins and scores yet. */
  readonly isUncounted: boolean;
};

/** A verdict before it is stored: no clock has touched it. */
export type Judgement = Omit<Verdict, 'judgedAt'>;

/** Something that has to leave the house; stored in the verdict's transaction. */
export type OutboxItem = {
  readonly kind: 'card' | 'retrain';
  /** The same key is never stored twice. */
  readonly deliveryId: string;
  readonly event: string;
  readonly title: string;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly payload: unknown;
  /** Where a person reads on. */
  readonly link?: string;
};

/** Why a policy cannot be used, and what is wrong with it though windows are judged by it. */
export type PolicyWords = { readonly problem: string | undefined; readonly remark: string | undefined };

export type JudgeStore = {
  dirtyModels(): Promise<readonly string[]>;
  /** Windows of `every` length that have been quiet for `settleMs`. */
  dirtyWindows(model: string, every: string, settleMs: number): Promise<readonly DirtyWindow[]>;
  counts(window: Window): Promise<WindowCounts>;
  /** Starts of the version's earlier windows that hold predictions, newest first. */
  earlierStarts(window: Window, every: string, limit: number): Promise<readonly string[]>;
  /** Starts of the version's oldest windows that hold predictions, up to this one itself, oldest first. */
  firstStarts(window: Window, every: PeriodLength, limit: number): Promise<readonly string[]>;
  /** The newest verdict of every window, oldest window first. */
  verdicts(filter: { model?: string; environment?: string }): Promise<readonly Verdict[]>;
  /** The newest one of the windows that begin before this one, of any version; `insufficient` ones do not count. */
  verdictBefore(window: Window): Promise<Verdict | undefined>;
  /** One transaction: verdict (unless it is already the newest), its evidence, outbox items, marks taken away. Answers whether it is new. */
  keep(
    judgement: Judgement,
    judgedAt: string,
    items: readonly OutboxItem[],
    marks: DirtyWindow['marks'],
    evidence?: KeptEvidence,
  ): Promise<boolean>;
  keepPolicy(model: string, policy: PolicyFile, said: PolicyWords): Promise<void>;
};

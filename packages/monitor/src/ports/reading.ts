import type { ModelVersion, Snapshot, Window } from '@fairway/core';
import type { PolicyFile } from './writer.ts';

/** Labelled predictions of a version with `start` ≤ time < `end`. */
export type SnapshotBounds = Pick<Window, 'model' | 'version' | 'environment' | 'start' | 'end'>;

/** Streams on-field rows to a file; the same rows give the same bytes. */
export type Snapshots = {
  /** `classes`: of a model that predicts one of several; there is no event then. */
  take(
    bounds: SnapshotBounds,
    modelVersion: ModelVersion,
    classes?: readonly string[],
  ): Promise<Omit<Snapshot, 'createdAt'>>;
};

/** The policy a model was last judged by, or why it cannot be used; what else is wrong with it. */
export type StoredPolicy = PolicyFile & { readonly problem: string | null; readonly remark: string | null };

/** A retrain request that has not become a change, and why. */
export type UnsentRetrain = {
  readonly title: string;
  readonly state: 'pending' | 'held' | 'dead';
  readonly reason: string | null;
  readonly at: string;
};

/** Why a page is soon out of date. */
export type Activity = 'counting' | 'telling' | 'judged';

export type DashboardStore = {
  unsentRetrains(limit: number): Promise<readonly UnsentRetrain[]>;
  policy(model: string): Promise<StoredPolicy | undefined>;
  totals(): Promise<{ readonly predictions: number; readonly labelled: number }>;
  /** What goes on: counts changed or a window was judged in the last minute, or something waits to leave the house. */
  activity(): Promise<Activity | undefined>;
};

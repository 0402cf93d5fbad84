import type { SyncRule } from './synced.ts';

/** What a platform decides about the proof that a change is live. */
export type LiveSettings = {
  /** Clone URL of the GitOps repository, to find it among the sources of an Application. */
  readonly repositoryUrl: string;
  readonly syncRule: SyncRule;
  /** How long an Application must have been Healthy before that is believed. */
  readonly hysteresisMs: number;
};

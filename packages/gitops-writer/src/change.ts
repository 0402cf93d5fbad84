import type { Approval, CardContent, Change, Phase, PullRequest, RetrainRequest } from '@fairway/core';

/** What a change gathers on its way, besides what everybody sees of it. */
export type ChangeFacts = {
  /** sha256 of the canonical intent that the branch carries. */
  readonly intent?: string;
  /** Head of our branch as we pushed it; any other head voids the approval. */
  readonly headSha?: string;
  /** Revision of the retrain request that the branch carries. */
  readonly published?: number;
  /** A head that is not ours and has been reported on the pull request. */
  readonly voidedHead?: string;
  /** RFC 3339, the forge's clock. */
  readonly mergedAt?: string;
  /** The commit on the default branch from which on our files are there. */
  readonly mergeCommit?: string;
  /** Change id that the Deployment must carry: our own, or that of the change which had put the same bytes on the branch. */
  readonly stamp?: string;
};

/** Why there is a change: the approval (and the digest it was given for), or the monitor's request. */
export type ChangeEvidence =
  | { readonly kind: 'deploy'; readonly approval: Approval; readonly digest: string }
  | { readonly kind: 'retrain'; readonly request: RetrainRequest; readonly revision: number };

/** A change as the store keeps it. */
export type StoredChange = {
  readonly change: Change;
  readonly evidence: ChangeEvidence;
  readonly facts: ChangeFacts;
  /** Tries of the present step that failed. */
  readonly attempts: number;
};

export type Notice = Pick<CardContent, 'event' | 'title' | 'text' | 'facts' | 'links' | 'tone'>;

/** What a step moves: the phase (the same one = only facts), what was learned, and what people are told. */
export type Transition = {
  readonly phase: Phase;
  readonly reason?: string;
  readonly facts?: ChangeFacts;
  readonly pullRequest?: PullRequest;
  readonly image?: string;
  readonly notice?: Notice;
};

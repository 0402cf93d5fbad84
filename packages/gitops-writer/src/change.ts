import type {
  Approval,
  CardContent,
  Change,
  Liveness,
  Phase,
  PullRequest,
  RetireRequest,
  RetrainRequest,
  RollbackRequest,
} from '@fairway/core';
import type { NewChange } from './ports/store.ts';

/** `revision`: of the retrain request that is taken back; `at`: RFC 3339. */
export type Withdrawal = {
  readonly actor: string;
  readonly reason: string;
  readonly at: string;
  readonly revision: number;
};

/** What a change gathers on its way, besides what everybody sees of it. */
export type ChangeFacts = {
  /** sha256 of the canonical intent that the branch carries. */
  readonly intent?: string;
  /** Head of our branch as we pushed it; any other head voids the approval. */
  readonly headSha?: string;
  /** Revision of the retrain request that the branch carries. */
  readonly published?: number;
  /** Nobody asks for this revision of the retrain request any more; a newer one is asked for again. */
  readonly withdrawn?: Withdrawal;
  /** Hash of what the status comment says. */
  readonly comment?: string;
  /** A head that is not ours and has been reported on the pull request. */
  readonly voidedHead?: string;
  /** RFC 3339, the forge's clock. */
  readonly mergedAt?: string;
  /** The commit on the default branch from which on our files are there. */
  readonly mergeCommit?: string;
  /** Change id that the Deployment must carry: our own, or that of the change which had put the same bytes on the branch. */
  readonly stamp?: string;
  /** What the last look at the cluster amounted to. */
  readonly liveness?: SeenLiveness;
};

/** `healthy`: when the Application was first seen Healthy after our rollout, so that a restart does not count anew. */
export type SeenLiveness = Liveness & { readonly healthy?: HealthySight };
/** `since`: Argo CD's own `lastTransitionTime`, when it gives one; `at`: our clock. Both RFC 3339. */
export type HealthySight = { readonly since?: string; readonly at: string };

/** A state that was live: the change that had put it there, and the commit at which its folder can be read. */
export type LiveState = {
  readonly change: string;
  readonly version: string;
  readonly digest: string;
  readonly commit: string;
};

export type OpeningRequest = Pick<RetrainRequest, 'version' | 'environment' | 'dedupeKey'>;

/** Why there is a change: the approval (and the digest it was given for), or what somebody asked for. */
export type ChangeEvidence =
  | {
      readonly kind: 'deploy';
      readonly approval: Approval;
      readonly digest: string;
      /** sha256 of the golden cases that were there with the approval. */
      readonly golden?: string;
      /** Name of the credential that brought the approval; `approval.actor` is what the caller said. */
      readonly via?: string;
      /** The change of the environment before, of which this is the promotion. */
      readonly promotes?: string;
    }
  | {
      readonly kind: 'retrain';
      /** The newest one. */
      readonly request: RetrainRequest;
      readonly revision: number;
      /** What the change id follows from, once a newer request has taken the place of the one that opened it. */
      readonly opened?: OpeningRequest;
    }
  | {
      readonly kind: 'rollback';
      readonly request: RollbackRequest;
      /** What is left: the digest is quarantined. */
      readonly bad: { readonly change: string; readonly version: string; readonly digest: string };
      readonly restores: LiveState;
    }
  | { readonly kind: 'retire'; readonly request: RetireRequest };

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
  /** Phases that the step went through on its way. */
  readonly through?: readonly Phase[];
  readonly facts?: ChangeFacts;
  readonly pullRequest?: PullRequest;
  readonly image?: string;
  readonly notice?: Notice;
  /** Changes that follow from it; one that is there already is left as it is. */
  readonly follow?: readonly NewChange[];
  /** Ends of other changes that go with it. */
  readonly ends?: readonly ChangeEnd[];
};

export type ChangeEnd = {
  readonly id: string;
  readonly phase: 'superseded' | 'rolled-back';
  readonly reason: string;
};

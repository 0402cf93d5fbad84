import type {
  Baseline,
  CardContent,
  Change,
  ChangeKind,
  FairwayError,
  HealthStatus,
  ModelVersion,
  Phase,
  PullRequest,
  SyncStatus,
} from '@fairway/core';
import type { ChangeEvidence, StoredChange, Transition } from './change.ts';

export type Accepted = { readonly created: boolean; readonly change: Change };
export type NewChange = { readonly change: Change; readonly evidence: ChangeEvidence };
export type LoadedVersion = { readonly modelVersion: ModelVersion; readonly baseline: Baseline };

/** The door: each call is one transaction, and what it answers is durable. */
export type ChangeIntake = {
  /** The change that an approval event or dedupe key has led to. */
  byEvent(kind: ChangeKind, event: string): Promise<StoredChange | undefined>;
  acceptApproval(change: NewChange, loaded: LoadedVersion): Promise<Accepted>;
  /** While a retrain change of the model is open, its request is replaced and that change answers. */
  acceptRequest(change: NewChange): Promise<Accepted>;
};

export type ChangeFilter = { readonly [K in 'model' | 'kind' | 'phase' | 'environment']?: string | undefined };

export type ChangeReader = {
  find(id: string): Promise<Change | undefined>;
  /** Newest first. */
  list(filter: ChangeFilter): Promise<Change[]>;
  /** The newest deploy change of the same model and environment that is younger than this one and has been proposed. */
  newer(change: Change): Promise<Change | undefined>;
  /** The live deploy change of each model and environment. */
  live(): Promise<Change[]>;
  /** The newest deploy change of this version that has been merged. */
  merged(model: string, version: string): Promise<Change | undefined>;
  /** What the registry said when the approval came. */
  loaded(model: string, version: string, digest: string): Promise<LoadedVersion | undefined>;
};

/** How a turn of a change ends; all of it is written in one transaction. */
export type Outcome =
  | { readonly kind: 'moved'; readonly transition: Transition; readonly at: string }
  | { readonly kind: 'waiting'; readonly reason: string; readonly delayMs: number; readonly at: string }
  | { readonly kind: 'retry'; readonly error: FairwayError; readonly delayMs: number; readonly at: string };

/** A change that nobody else works on until it is settled or released; a killed process releases it by dying. */
export type Claim = {
  readonly stored: StoredChange;
  settle(outcome: Outcome): Promise<void>;
  release(): Promise<void>;
};

export type ChangeQueue = {
  /** A change whose time has come, or undefined. */
  claim(): Promise<Claim | undefined>;
  /** Makes open changes due at once: those of these branches, or all when none is named. */
  hint(branches: readonly string[]): Promise<void>;
};

export type Notification = {
  readonly deliveryId: string;
  readonly event: string;
  readonly title: string;
  readonly at: string;
  readonly state: 'pending' | 'accepted' | 'dead';
  readonly link?: string;
};

export type Delivery = { readonly content: CardContent; readonly attempts: number };
export type DeliveryResult =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'dead'; readonly reason: string };

export type Outbox = {
  /** Newest first. */
  list(): Promise<Notification[]>;
  /** Takes the oldest due notification, sends it by `send` and keeps the result; false when none is due. */
  relay(send: (delivery: Delivery) => Promise<DeliveryResult>): Promise<boolean>;
};

export type Notifier = { send(content: CardContent): Promise<NotifierAnswer> };
type NotifierAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'retry'; readonly afterMs?: number }
  | { readonly kind: 'dead'; readonly reason: string };

/** A file of the GitOps repository: path from its root, UTF-8 text. */
export type RepositoryFile = { readonly path: string; readonly text: string };

export type CommitRequest = {
  readonly parent: string;
  /** Everything below this folder is replaced by `files`. */
  readonly folder: string;
  readonly files: readonly RepositoryFile[];
  readonly message: string;
  /** Author and committer date, RFC 3339: the same request always makes the same commit id. */
  readonly date: string;
};

/** The GitOps repository. Refs are those of the last look at the remote. */
export type Repository = {
  /** Commit id of the default branch; looks at the remote unless the last look is younger than `maxAgeMs`. */
  head(maxAgeMs: number): Promise<string>;
  branch(name: string): Promise<string | undefined>;
  /** Text and blob id of a file; undefined when there is none. */
  read(commit: string, path: string): Promise<{ readonly text: string; readonly blob: string } | undefined>;
  folders(commit: string, path: string): Promise<string[]>;
  /** Writes a commit into the object database; no ref moves. */
  commit(request: CommitRequest): Promise<string>;
  /** Moves the remote branch from `expected` (undefined: it must not exist) to `commit`. Throws `git.race` or `git.refused`. */
  push(branch: string, commit: string, expected: string | undefined): Promise<void>;
  /** Deletes the remote branch if it still is at `expected`; anything else is left alone. */
  deleteBranch(branch: string, expected: string): Promise<void>;
};

/** How a later commit stands to the commit X that merged a change, as far as the change's folder is concerned. */
export type Relation =
  | { readonly kind: 'contains' }
  | { readonly kind: 'before' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'superseded'; readonly by: string };

export type History = {
  relation(merge: string, revision: string, folder: string): Promise<Relation>;
  /** Whether merging the two commits would conflict, computed here and not asked of the forge. */
  conflicts(base: string, head: string): Promise<boolean>;
  parent(commit: string): Promise<string | undefined>;
};

export type ForgePullRequest = PullRequest & {
  readonly title: string;
  readonly body: string;
  readonly mergedAt?: string;
};

export type NewPullRequest = {
  readonly branch: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
};

export type CommitStatus = {
  readonly context: string;
  readonly state: 'pending' | 'success' | 'failure';
  readonly description: string;
};

export type MergeAnswer = { readonly kind: 'merged' } | { readonly kind: 'moved' | 'not-yet'; readonly reason: string };

/** A Git host with pull requests. All calls may be made twice. */
export type Forge = {
  /** Of several for the branch: the open one, else the merged one, else the newest closed one. */
  find(branch: string): Promise<ForgePullRequest | undefined>;
  open(request: NewPullRequest): Promise<ForgePullRequest>;
  read(number: number): Promise<ForgePullRequest>;
  edit(number: number, title: string, body: string): Promise<void>;
  /** Writes the one comment that carries `marker`; edits it when the text differs. */
  comment(number: number, marker: string, text: string): Promise<void>;
  setStatus(commit: string, status: CommitStatus): Promise<void>;
  /** Merges only while the head is `headSha`. */
  merge(number: number, headSha: string, message: string): Promise<MergeAnswer>;
  close(number: number): Promise<void>;
};

/** How a forge's webhook is verified and read. */
export type WebhookReader = {
  readonly signatureHeader: string;
  isSigned(body: Buffer, signature: string | undefined, secret: string): boolean;
  branchesOf(body: Buffer): string[];
};

type ModelCopy = {
  readonly folder: string;
  readonly modelVersion: ModelVersion;
  dispose(): Promise<void>;
};

/** A model registry. */
export type ModelSource = {
  /**
   * What the registry says now, the digest computed over the bytes. Throws `model.unknown` (naming the known ones), or
   * `model.invalid` when it is no SavedModel or its signature does not fit the registered variables.
   */
  load(model: string, version: string): Promise<LoadedVersion>;
  /** A private copy of the model; what is loaded is read from the copy. */
  copy(model: string, version: string): Promise<ModelCopy>;
};

type ImageRequest = { readonly modelVersion: ModelVersion; readonly folder: string };
export type ImageBuilder = {
  /** Base plus model as one layer; answers `name@sha256:…`. The same model gives the same digest. */
  build(request: ImageRequest): Promise<string>;
};

/** The fields of an Argo CD Application that decide what is live. */
export type Application = {
  readonly deleting: boolean;
  readonly operationRequested: boolean;
  readonly refreshRequested: boolean;
  readonly syncStatus: SyncStatus;
  /** Last compared revision; may be empty. */
  readonly revision: string;
  readonly reconciledAt?: string;
  readonly health: HealthStatus;
  readonly healthMessage?: string;
  readonly operation?: {
    readonly phase: 'Running' | 'Terminating' | 'Failed' | 'Error' | 'Succeeded';
    readonly finishedAt?: string;
    readonly message?: string;
    /** Revision that was applied. */
    readonly revision?: string;
  };
  readonly errors: readonly string[];
};

export type Deployment = {
  readonly stamp?: string;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly desired: number;
  readonly replicas: number;
  readonly updated: number;
  readonly available: number;
  readonly selector: Readonly<Record<string, string>>;
  /** Set when the rollout has passed its progress deadline. */
  readonly stuck?: string;
};

export type Pod = {
  readonly name: string;
  readonly ip?: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly stamp?: string;
  /** Exit codes of its containers that have ended. */
  readonly exitCodes: readonly number[];
};

export type Job = { readonly state: 'running' | 'succeeded' | 'failed'; readonly reason?: string };

export type Cluster = {
  application(name: string): Promise<Application | undefined>;
  /** Asks Argo CD to compare again. */
  refresh(application: string, at: string): Promise<void>;
  deployment(namespace: string, name: string): Promise<Deployment | undefined>;
  pods(namespace: string, labels: Readonly<Record<string, string>>): Promise<Pod[]>;
  job(namespace: string, name: string): Promise<Job | undefined>;
  /** TensorFlow Serving's own word about a version in a pod: AVAILABLE, LOADING, …; or why there is none. */
  servingState(pod: Pod, model: string, version: string): Promise<string>;
};

export type Metrics = {
  stepRan(step: string, status: string, seconds: number): void;
  phaseEntered(kind: string, phase: Phase): void;
  notified(result: string): void;
};

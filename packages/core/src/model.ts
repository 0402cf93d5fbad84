/** A scalar type of an input or output variable, in TensorFlow's own names. */
export type DType = 'DT_FLOAT' | 'DT_DOUBLE' | 'DT_INT32' | 'DT_INT64' | 'DT_STRING' | 'DT_BOOL';

/** One named tensor of a signature. `shape` uses -1 for an unknown dimension, as TensorFlow does. */
export type TensorSpec = { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] };

/** The `serving_default` signature of a SavedModel: inputs and outputs sorted by name. */
export type Signature = {
  readonly name: string;
  readonly method: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
};

/** A variable as the model registry keeps it (SAS: `inputVar.json`, `outputVar.json`). */
export type Variable = {
  readonly name: string;
  readonly type: 'decimal' | 'string';
  readonly role: 'input' | 'output';
  readonly length?: number;
};

/** What a ModelVersion predicts; from `ModelProperties.json` (SAS names in brackets). */
export type Target = {
  /** [targetVariable] column of the true outcome, e.g. `BAD`. */
  readonly variable: string;
  /** [targetLevel: interval] the outcome is a number; left out: an event that happens or not. */
  readonly level?: 'interval';
  /** [targetEvent] the value that counts as the event, e.g. `1`; empty for a number. */
  readonly event: string;
  /** [eventProbVar] the output that holds the probability of the event, e.g. `P_BAD1`; of a number [predictionVariable], the predicted one. */
  readonly probability: string;
  /** Output that holds the predicted class, when the model has one. */
  readonly classification?: string;
};

/** name, version, SavedModel digest, signature, variables, metrics and origin of one registered model version. */
export type ModelVersion = {
  readonly model: string;
  /** Version as the registry names it. TF Serving needs a positive integer; the directory source only accepts those. */
  readonly version: string;
  /** As people in the registry call it, where that is not the version, e.g. `HMEQ TF 2.1`. */
  readonly label?: string;
  /** `sha256:<hex>` over the sorted SavedModel tree (see `@fairway/savedmodel` digestTree). */
  readonly digest: string;
  readonly signature: Signature;
  readonly variables: readonly Variable[];
  readonly target: Target;
  /** Figures the registry holds for this version, e.g. `{auc: 0.89, ks: 0.63}` on held-out data. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Where it came from, e.g. `directory:registry/home-equity/1`. */
  readonly origin: string;
  readonly trainedAt?: string;
  /** Size of the SavedModel's files. */
  readonly bytes?: number;
};

/** The decision of a workflow about one ModelVersion for one Environment. */
export type Approval = {
  /** Unique per decision; the same event delivered again is the same approval. */
  readonly eventId: string;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  /** The bytes that were looked at; when given, they must be what the registry holds (`sha256:<hex>`). */
  readonly digest?: string;
  readonly actor: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  /** What the approver looked at: free text or links. */
  readonly evidence?: string;
  /** Where the workflow wants its answer. It is written into the Git history, so it must hold no secret. */
  readonly answerTo?: string;
};

/** Asks for the way back: by a person, a monitor, or the writer itself after a failed verification. */
export type RollbackRequest = {
  readonly kind: 'rollback';
  readonly model: string;
  readonly environment: string;
  /** The version to leave; the live one when not given. */
  readonly version?: string;
  readonly dedupeKey: string;
  readonly actor: string;
  readonly reason: string;
};

/** Asks to take a model out of an environment. */
export type RetireRequest = {
  readonly kind: 'retire';
  readonly model: string;
  readonly environment: string;
  readonly dedupeKey: string;
  readonly actor: string;
  readonly reason: string;
  /** `<model>/<environment>`, written out: nothing is retired by a slip. */
  readonly confirm: string;
};

export type ChangeKind = 'deploy' | 'retrain' | 'rollback' | 'retire';

/** Phases in the order a change walks through them; the ends are in {@link END_PHASES}. */
export const PHASES = [
  'requested',
  'validated',
  'built',
  'proposed',
  'merged',
  'syncing',
  'verifying',
  'live',
  'rejected',
  'superseded',
  'failed',
  'rolled-back',
] as const;
export type Phase = (typeof PHASES)[number];
export const END_PHASES: readonly Phase[] = ['live', 'rejected', 'superseded', 'failed', 'rolled-back'];

/** A change's phase as people say it: what is live of a retraining is its end. */
export const phaseWord = ({ kind }: { readonly kind: ChangeKind }, phase: Phase): string =>
  kind === 'retrain' && phase === 'live' ? 'finished' : phase;

/** A pull request as the forge knows it. */
export type PullRequest = {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'merged' | 'closed';
  readonly headSha: string;
  readonly mergeCommit?: string;
};

/** What Argo CD, the rollout and TensorFlow Serving together amount to for one merged change (docs/contracts.md). */
export const LIVENESS_STATES = [
  'waiting-for-sync',
  'blocked-by-sync-window',
  'syncing',
  'sync-failed',
  'progressing',
  'degraded',
  'drifted',
  'superseded',
  'live',
  'unknown',
] as const;
export type LivenessState = (typeof LIVENESS_STATES)[number];
/** `reason`: a sentence; `at`: since when it has been in this state, RFC 3339. */
export type Liveness = { readonly state: LivenessState; readonly reason: string; readonly at: string };

/** The thing Fairway carries. `id` = {@link changeId}. */
export type Change = {
  readonly id: string;
  readonly kind: ChangeKind;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly digest?: string;
  readonly phase: Phase;
  /** Why it waits or ended, in a sentence. */
  readonly reason?: string;
  readonly branch: string;
  readonly pullRequest?: PullRequest;
  readonly image?: string;
  /** As the writer saw it last while it brought the change live; what is true now, `GET /v1/changes/:id/liveness` says. */
  readonly liveness?: Liveness;
  readonly actor: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When each phase was entered, RFC 3339. */
  readonly history: ReadonlyArray<{ readonly phase: Phase; readonly at: string; readonly reason?: string }>;
};

/** Argo CD's own words (`status.sync.status`). */
export type SyncStatus = 'Synced' | 'OutOfSync' | 'Unknown';
/** Argo CD's own words (`status.health.status`). */
export type HealthStatus = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';

/** A target of a model: namespace, Argo CD Application and merge rule. Comes from `model.yaml`. */
export type Environment = {
  readonly name: string;
  readonly namespace: string;
  readonly application: string;
  readonly merge: 'review' | 'auto';
  /** Who is asked to review its pull requests: logins, or `team:<slug>`. */
  readonly reviewers?: readonly string[];
};

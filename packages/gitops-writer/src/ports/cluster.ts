import type { HealthStatus, Signature, SyncStatus } from '@fairway/core';

/** A source of an Application and the revision that was compared or applied; the revision may be empty or no commit id. */
export type SourceRevision = { readonly repoURL: string; readonly path?: string; readonly revision: string };

export type Destination = { readonly server?: string; readonly name?: string; readonly namespace?: string };

/** One resource as `status.resources` lists it; `namespace` is empty for what is cluster-wide. */
export type ResourceWord = {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Not given: nobody knows. */
  readonly status?: SyncStatus;
};

/** A hook of the last operation that failed, with Argo CD's word about it. */
export type HookWord = {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly message: string;
};

/** A condition under which Argo CD's word cannot be believed, or nothing will be applied. */
export type ConditionWord = {
  readonly type: 'ComparisonError' | 'InvalidSpecError' | 'SyncError';
  readonly message: string;
};

/** The fields of an Argo CD Application that decide what is live. Times are Argo CD's: RFC 3339, whole seconds. */
export type Application = {
  readonly name: string;
  readonly project: string;
  readonly destination: Destination;
  readonly autoSync: boolean;
  readonly deleting: boolean;
  readonly operationRequested: boolean;
  readonly refreshRequested: boolean;
  readonly syncStatus: SyncStatus;
  /** What the last comparison looked at, which is not what was applied. */
  readonly compared: readonly SourceRevision[];
  readonly reconciledAt?: string;
  readonly health: HealthStatus;
  readonly healthMessage?: string;
  /** When the health status changed last. */
  readonly healthSince?: string;
  readonly operation?: {
    readonly phase: 'Running' | 'Terminating' | 'Failed' | 'Error' | 'Succeeded';
    readonly finishedAt?: string;
    readonly message?: string;
    readonly applied: readonly SourceRevision[];
    /** Not given: none. */
    readonly failedHooks?: readonly HookWord[];
  };
  readonly errors: readonly ConditionWord[];
  readonly resources: readonly ResourceWord[];
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
  /** When the controller saw the newest rollout complete, RFC 3339. */
  readonly rolledOutAt?: string;
  /** How long a rollout may stand still. */
  readonly deadlineMs: number;
};

export type Pod = {
  readonly name: string;
  readonly ip?: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly stamp?: string;
  /** Containers that wait in CrashLoopBackOff; not given: none. */
  readonly crashing?: ReadonlyArray<{ readonly container: string; readonly restarts: number }>;
  /** Exit codes of its containers that have ended. */
  readonly exitCodes: readonly number[];
  /** Termination messages of those that left one; not given: none. */
  readonly lastWords?: readonly string[];
};

export type Job = { readonly state: 'running' | 'succeeded' | 'failed'; readonly reason?: string };

/** A sync window of an AppProject, as Argo CD keeps it: `schedule` cron of five fields, `duration` in Go's notation. */
export type SyncWindow = {
  readonly kind: 'allow' | 'deny';
  readonly schedule: string;
  readonly duration: string;
  readonly timeZone?: string;
  readonly manualSync: boolean;
  readonly applications: readonly string[];
  readonly namespaces: readonly string[];
  readonly clusters: readonly string[];
  /** All of the three lists must match, not any one of them. */
  readonly andOperator: boolean;
};

/** `cached`: what the watch said last, while it is known to be up to date; `now`: asked of the API server. */
export type HowFresh = 'cached' | 'now';

export type Cluster = {
  application(name: string, how: HowFresh): Promise<Application | undefined>;
  /** Asks Argo CD to compare again; `at`, RFC 3339, keeps this request apart from an earlier one. */
  refresh(application: string, at: string): Promise<void>;
  /** The sync windows of a project; none when there is no such project. */
  syncWindows(project: string): Promise<SyncWindow[]>;
  deployment(namespace: string, name: string): Promise<Deployment | undefined>;
  pods(namespace: string, labels: Readonly<Record<string, string>>): Promise<Pod[]>;
  job(namespace: string, name: string): Promise<Job | undefined>;
  /** TensorFlow Serving's own word about a version in a pod: AVAILABLE, LOADING, …; or why there is none. */
  servingState(pod: Pod, model: string, version: string): Promise<string>;
  /** The signature that TensorFlow Serving in a pod has loaded for a version; in words where it cannot be read. */
  servingSignature(pod: Pod, model: string, version: string, signature: string): Promise<Signature | string>;
};

/** Tells of Applications that changed. A hint: some may be missed, some told twice. */
export type ApplicationFeed = { onChange(listener: (name: string) => void): void };

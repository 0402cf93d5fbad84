import type { Dict, KubeObject } from '../objects.ts';

export const REFRESH = 'argocd.argoproj.io/refresh';
export const REFRESH_TIMESTAMP = 'argocd.argoproj.io/refresh-timestamp';
export const TRACKING = 'argocd.argoproj.io/tracking-id';
export const GENERATE_PATHS = 'argocd.argoproj.io/manifest-generate-paths';
export const HOOK = 'argocd.argoproj.io/hook';
export const HOOK_DELETE_POLICY = 'argocd.argoproj.io/hook-delete-policy';
export const SYNC_WAVE = 'argocd.argoproj.io/sync-wave';
export const FINALIZER = 'resources-finalizer.argocd.argoproj.io';

export type Source = { readonly repoURL: string; readonly path?: string; readonly targetRevision?: string };
export type Destination = { readonly server?: string; readonly name?: string; readonly namespace?: string };
export type Retry = {
  readonly limit?: number;
  readonly backoff?: { readonly duration?: string; readonly factor?: number; readonly maxDuration?: string };
};
type SyncPolicy = {
  readonly automated?: {
    readonly prune?: boolean;
    readonly selfHeal?: boolean;
    readonly allowEmpty?: boolean;
    readonly enabled?: boolean;
  };
  readonly syncOptions?: readonly string[];
  readonly managedNamespaceMetadata?: { readonly labels?: Dict; readonly annotations?: Dict };
  readonly retry?: Retry;
};

/** A resource that a selective sync is about. */
export type SyncResource = {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
};

export type Operation = {
  readonly sync?: {
    readonly revision?: string;
    readonly prune?: boolean;
    readonly syncOptions?: readonly string[];
    /** Only these, and no hooks; not given: everything. */
    readonly resources?: readonly SyncResource[];
  };
  readonly initiatedBy?: { readonly username?: string; readonly automated?: boolean };
  readonly retry?: Retry;
};
export type OperationPhase = 'Running' | 'Terminating' | 'Failed' | 'Error' | 'Succeeded';

/** What happened to one resource in a sync. */
export type ResourceResult = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** A hook has none while it was created. */
  readonly status?: 'Synced' | 'SyncFailed' | 'Pruned' | 'PruneSkipped';
  readonly message: string;
  /** Not given: it is no hook. */
  readonly hookType?: 'PostSync';
  readonly hookPhase: 'Running' | 'Succeeded' | 'Failed';
  readonly syncPhase: 'Sync' | 'PostSync';
};

export type OperationState = {
  readonly operation: Operation;
  readonly phase: OperationPhase;
  readonly message?: string;
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly retryCount?: number;
  readonly syncResult?: {
    readonly resources?: readonly ResourceResult[];
    readonly revision: string;
    readonly source: Source;
  };
};

export type HealthCode = 'Healthy' | 'Suspended' | 'Progressing' | 'Missing' | 'Degraded' | 'Unknown';
export type Health = { readonly status: HealthCode; readonly message?: string };
export type SyncCode = 'Synced' | 'OutOfSync' | 'Unknown';
export type ComparedTo = {
  readonly source: Source;
  readonly destination: Destination;
  readonly ignoreDifferences?: unknown;
};

export type ResourceStatus = {
  readonly group?: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** A hook has none: it is not compared. */
  readonly status?: SyncCode;
  readonly requiresPruning?: boolean;
  readonly hook?: true;
};

type ConditionType = 'ComparisonError' | 'InvalidSpecError' | 'SyncError' | 'DeletionError';
export type AppCondition = {
  readonly type: ConditionType;
  readonly message: string;
  readonly lastTransitionTime?: string;
};

export type ApplicationStatus = {
  readonly sync?: { readonly status: SyncCode; readonly revision?: string; readonly comparedTo: ComparedTo };
  readonly health?: { readonly status: HealthCode; readonly lastTransitionTime?: string };
  readonly reconciledAt?: string;
  readonly operationState?: OperationState;
  readonly history?: readonly History[];
  readonly resources?: readonly ResourceStatus[];
  readonly conditions?: readonly AppCondition[];
  readonly summary?: { readonly images?: readonly string[] };
  readonly sourceType?: 'Kustomize' | 'Directory';
  readonly resourceHealthSource?: 'appTree';
  readonly controllerNamespace?: string;
};

export type History = {
  readonly id: number;
  readonly revision: string;
  readonly deployedAt: string;
  readonly deployStartedAt: string;
  readonly source: Source;
  readonly initiatedBy?: Operation['initiatedBy'];
};

export type Application = KubeObject & {
  readonly spec: {
    readonly project: string;
    readonly source: Source;
    readonly destination: Destination;
    readonly syncPolicy?: SyncPolicy;
    readonly ignoreDifferences?: unknown;
    readonly revisionHistoryLimit?: number;
  };
  readonly operation?: Operation;
  readonly status?: ApplicationStatus;
};

export type DirectoryRule = { readonly path: string; readonly exclude?: boolean };
export type ApplicationSet = KubeObject & {
  readonly spec: {
    readonly goTemplate?: boolean;
    readonly goTemplateOptions?: readonly string[];
    readonly generators: readonly {
      readonly git?: {
        readonly repoURL: string;
        readonly revision?: string;
        readonly directories?: readonly DirectoryRule[];
      };
    }[];
    readonly template: {
      readonly metadata: {
        readonly name: string;
        readonly namespace?: string;
        readonly labels?: Dict;
        readonly annotations?: Dict;
        readonly finalizers?: readonly string[];
      };
      readonly spec: Application['spec'];
    };
    readonly syncPolicy?: {
      readonly preserveResourcesOnDeletion?: boolean;
      readonly applicationsSync?: 'create-delete' | 'create-only' | 'create-update' | 'sync';
    };
  };
  readonly status?: { readonly conditions?: readonly unknown[] };
};

type GroupKind = { readonly group: string; readonly kind: string };
export type AppProject = KubeObject & {
  readonly spec: {
    readonly sourceRepos?: readonly string[];
    readonly destinations?: readonly Destination[];
    readonly clusterResourceWhitelist?: readonly GroupKind[];
    readonly namespaceResourceWhitelist?: readonly GroupKind[];
  };
};

/** `main` of `refs/heads/main`; HEAD when nothing is named. */
export const targetOf = ({ targetRevision }: Source): string => targetRevision ?? 'HEAD';

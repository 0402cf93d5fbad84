import type { Application, Deployment, Pod, Relation } from '../ports.ts';

/**
 * What Argo CD's word amounts to for one merged change (reference gitops.md §2.1, conditions 1–5):
 * `waiting-for-sync` has not compared our commit yet, `synced` says that what it applied contains it.
 */
export type SyncVerdict = {
  readonly state: 'waiting-for-sync' | 'blocked' | 'syncing' | 'sync-failed' | 'superseded' | 'synced';
  readonly reason: string;
  /** Argo CD's comparison is older than what we wait for: ask it to look again. */
  readonly stale?: true;
};

/** `relation` is that of `application.revision` to the merge commit; times are RFC 3339, of whole seconds on Argo CD's side. */
export function syncVerdict(
  application: Application | undefined,
  relation: Relation,
  mergedAt: string | undefined,
): SyncVerdict {
  if (application === undefined) return { state: 'waiting-for-sync', reason: 'Argo CD has no Application for it yet.' };
  const { operation, syncStatus, revision, errors } = application;
  if (application.deleting) return { state: 'blocked', reason: 'Its Argo CD Application is being deleted.' };
  if (relation.kind === 'superseded') {
    return { state: 'superseded', reason: `Commit ${relation.by.slice(0, 12)} has changed the same files since.` };
  }
  if (application.operationRequested || operation?.phase === 'Running' || operation?.phase === 'Terminating') {
    return { state: 'syncing', reason: 'Argo CD is applying the manifests.' };
  }
  const failed = operation?.phase === 'Failed' || operation?.phase === 'Error';
  if (failed && relation.kind === 'contains' && operation.revision === revision) {
    return {
      state: 'sync-failed',
      reason: `Argo CD could not apply ${revision.slice(0, 12)}: ${operation.message ?? 'no reason given'}`,
    };
  }
  if (errors.length > 0) return { state: 'blocked', reason: `Argo CD reports: ${errors.join('; ')}`, stale: true };
  if (relation.kind !== 'contains') {
    return { state: 'waiting-for-sync', reason: 'Argo CD has not compared the merged commit yet.', stale: true };
  }
  if (isStale(application.reconciledAt, mergedAt) || isStale(application.reconciledAt, operation?.finishedAt)) {
    return {
      state: 'waiting-for-sync',
      reason: 'Argo CD compared before the change was merged or applied.',
      stale: true,
    };
  }
  if (syncStatus !== 'Synced') return { state: 'syncing', reason: `Argo CD says ${syncStatus}.` };
  return { state: 'synced', reason: 'Argo CD has applied the merged commit.' };
}

/** Whether `reconciledAt` is older than `event`; compared in whole seconds, which is all Argo CD keeps. */
function isStale(reconciledAt: string | undefined, event: string | undefined): boolean {
  if (event === undefined) return false;
  if (reconciledAt === undefined) return true;
  return Math.floor(Date.parse(reconciledAt) / 1000) < Math.floor(Date.parse(event) / 1000);
}

export type RolloutVerdict = { readonly state: 'progressing' | 'degraded' | 'live'; readonly reason: string };

/** A ready pod and what TensorFlow Serving in it says about the version. */
export type PodWord = { readonly pod: Pod; readonly serving: string };

/** Conditions 6–8: healthy, our stamped Deployment rolled out, and every ready pod serves the version. */
export function rolloutVerdict(
  application: Application,
  deployment: Deployment | undefined,
  pods: readonly PodWord[],
  stamp: string,
): RolloutVerdict {
  const progressing = (reason: string): RolloutVerdict => ({ state: 'progressing', reason });
  if (deployment === undefined) return progressing('The Deployment is not there yet.');
  if (deployment.stamp !== stamp) {
    // Argo CD can say Synced at our revision while it still runs older manifests (argo-cd #26530).
    return progressing(`The Deployment carries change ${deployment.stamp ?? 'none'}, not ${stamp}.`);
  }
  if (deployment.observedGeneration < deployment.generation) return progressing('The rollout has not begun.');
  if (deployment.stuck !== undefined) return { state: 'degraded', reason: `The rollout failed: ${deployment.stuck}` };
  const { desired, replicas, updated, available } = deployment;
  if (updated !== desired || replicas !== desired || available !== desired) {
    return progressing(`${available} of ${desired} pods are available, ${updated} updated, ${replicas} in all.`);
  }
  if (application.health !== 'Healthy') {
    return progressing(
      `Argo CD says ${application.health}${application.healthMessage ? `: ${application.healthMessage}` : ''}.`,
    );
  }
  return podsVerdict(pods, stamp, desired);
}

function podsVerdict(pods: readonly PodWord[], stamp: string, desired: number): RolloutVerdict {
  const foreign = pods.find(({ pod }) => pod.stamp !== stamp);
  if (foreign !== undefined)
    return { state: 'progressing', reason: `Pod ${foreign.pod.name} still serves an older change.` };
  const silent = pods.find(({ serving }) => serving !== 'AVAILABLE');
  if (silent !== undefined) {
    return { state: 'progressing', reason: `TensorFlow Serving in ${silent.pod.name} says ${silent.serving}.` };
  }
  if (pods.length < desired) return { state: 'progressing', reason: `${pods.length} of ${desired} pods are ready.` };
  return { state: 'live', reason: `${pods.length} of ${desired} pods serve the version.` };
}

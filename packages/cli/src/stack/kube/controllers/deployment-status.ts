import { type Condition, kubeTime, withCondition } from '../objects.ts';
import type { Deployment, ReplicaSet } from '../workloads.ts';
import { bounds } from './rollout.ts';

type Status = NonNullable<Deployment['status']>;
type Progress = { readonly status: Condition['status']; readonly reason: string; readonly message: string };

/**
 * Status of a Deployment from its ReplicaSets. `lookAgainMs`: when the progress deadline falls due, if nothing moves
 * until then.
 */
export function deploymentStatus(
  deployment: Deployment,
  next: ReplicaSet | undefined,
  sets: readonly ReplicaSet[],
  now: number,
): { status: Status; lookAgainMs: number | undefined } {
  const counts = countReplicas(deployment, next, sets);
  const available = availableCondition(deployment, counts, now);
  const { progress, lookAgainMs } = progressCondition(
    deployment,
    next?.metadata.name ?? deployment.metadata.name,
    counts,
    now,
  );
  const conditions = withCondition(withCondition(deployment.status?.conditions, available, now), progress, now);
  return { status: { observedGeneration: deployment.metadata.generation ?? 0, ...counts, conditions }, lookAgainMs };
}

const conditionOf = ({ status }: Deployment, wanted: string) => status?.conditions?.find(({ type }) => type === wanted);

function availableCondition(deployment: Deployment, counts: Counts, now: number): Condition {
  const type = 'Available';
  const enough = counts.availableReplicas >= (deployment.spec.replicas ?? 1) - bounds(deployment).unavailable;
  const next: Condition = enough
    ? { type, status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type,
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
  const before = conditionOf(deployment, type);
  const same = before?.status === next.status;
  return { ...next, lastUpdateTime: (same ? before.lastUpdateTime : undefined) ?? kubeTime(now) };
}

function progressCondition(
  deployment: Deployment,
  set: string,
  counts: Counts,
  now: number,
): { progress: Condition; lookAgainMs: number | undefined } {
  const desired = deployment.spec.replicas ?? 1;
  const before = conditionOf(deployment, 'Progressing');
  const complete =
    counts.updatedReplicas === desired && counts.replicas === desired && counts.availableReplicas === desired;
  const moved = hasMoved(deployment, before, counts);
  const deadlineMs = 1000 * (deployment.spec.progressDeadlineSeconds ?? 600);
  const left = Date.parse(before?.lastUpdateTime ?? kubeTime(now)) + deadlineMs - now;
  const progress = progressOf(set, before, { complete, moved, late: left <= 0 });
  const kept = moved || before?.reason !== progress.reason ? undefined : before.lastUpdateTime;
  return {
    progress: { type: 'Progressing', ...progress, lastUpdateTime: kept ?? kubeTime(now) },
    lookAgainMs: complete || progress.status === 'False' ? undefined : Math.max(50, moved ? deadlineMs : left),
  };
}

type Counts = ReturnType<typeof countReplicas>;

function countReplicas(deployment: Deployment, next: ReplicaSet | undefined, sets: readonly ReplicaSet[]) {
  const sum = (of: (set: ReplicaSet) => number | undefined) => sets.reduce((total, set) => total + (of(set) ?? 0), 0);
  const availableReplicas = sum(({ status }) => status?.availableReplicas);
  return {
    replicas: sum(({ status }) => status?.replicas),
    updatedReplicas: next?.status?.replicas ?? 0,
    readyReplicas: sum(({ status }) => status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(
      0,
      Math.max(
        deployment.spec.replicas ?? 1,
        sum(({ spec }) => spec.replicas),
      ) - availableReplicas,
    ),
  };
}

/** Whether anything got better since the last look: that is what keeps the deadline away. */
function hasMoved({ status, metadata }: Deployment, before: Condition | undefined, counts: Counts): boolean {
  if (before === undefined || status?.observedGeneration !== metadata.generation) return true;
  const old = (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return (
    counts.updatedReplicas > (status?.updatedReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < old ||
    counts.readyReplicas > (status?.readyReplicas ?? 0) ||
    counts.availableReplicas > (status?.availableReplicas ?? 0)
  );
}

function progressOf(
  set: string,
  before: Condition | undefined,
  { complete, moved, late }: { complete: boolean; moved: boolean; late: boolean },
): Progress {
  if (complete) {
    return {
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "${set}" has successfully progressed.`,
    };
  }
  if (moved) return { status: 'True', reason: 'ReplicaSetUpdated', message: `ReplicaSet "${set}" is progressing.` };
  // A rollout that was complete may lose pods later: that is not a failed rollout.
  if (late && before?.reason !== 'NewReplicaSetAvailable') {
    return {
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `ReplicaSet "${set}" has timed out progressing.`,
    };
  }
  const { status = 'True', reason = 'ReplicaSetUpdated', message = '' } = before ?? {};
  return { status, reason, message };
}

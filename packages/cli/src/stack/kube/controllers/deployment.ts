import { isDeepStrictEqual } from 'node:util';
import { canonicalJson, type Clock, sha256 } from '@fairway/core';
import { DEPLOYMENT, kindKey, POD, REPLICA_SET } from '../kinds.ts';
import { controlledBy, isControlledBy } from '../objects.ts';
import { reasonOf } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import type { Deployment, PodTemplate, ReplicaSet } from '../workloads.ts';
import { deploymentStatus } from './deployment-status.ts';
import type { EventRecorder } from './events.ts';
import { type Controller, keyOf, splitKey } from './loop.ts';
import { bounds, planRecreate, planRollingUpdate, type Scale, type SetState } from './rollout.ts';

const HASH_LABEL = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Rolls Deployments out over ReplicaSets. */
export function deploymentController(registry: Registry, clock: Clock, record: EventRecorder): Controller {
  return {
    name: 'deployment',
    keys: ({ kind, object }) => {
      if (kind === kindKey(DEPLOYMENT)) return [keyOf(object)];
      if (kind !== kindKey(REPLICA_SET)) return [];
      const owner = object.metadata.ownerReferences?.find((ref) => ref.controller && ref.kind === 'Deployment');
      return owner ? [`${object.metadata.namespace}/${owner.name}`] : [];
    },
    reconcile(key) {
      const deployment = registry.get(DEPLOYMENT, ...splitKey(key));
      if (!deployment || deployment.metadata.deletionTimestamp !== undefined) return undefined;
      const owned = ownedSets(registry, deployment);
      const known = owned.find((set) =>
        isDeepStrictEqual(withoutHash(set.spec.template), withoutHash(deployment.spec.template)),
      );
      const next = known ?? createSet(registry, deployment, owned, record);
      const old = owned.filter((set) => set !== known);
      if (deployment.spec.paused !== true) {
        keepRevision(registry, next, old);
        for (const scale of plan(registry, deployment, next, old)) applyScale(registry, deployment, scale, record);
      }
      forgetOldSets(registry, deployment, old);
      return writeStatus(registry, deployment, next.metadata.uid, clock.now());
    },
  };
}

const ownedSets = (registry: Registry, deployment: Deployment): ReplicaSet[] =>
  registry
    .list(REPLICA_SET, deployment.metadata.namespace)
    .filter((set) => isControlledBy(set, deployment.metadata.uid));

function withoutHash(template: PodTemplate): PodTemplate {
  const { [HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

const stateOf = (set: ReplicaSet): SetState => ({
  name: set.metadata.name,
  replicas: set.spec.replicas ?? 0,
  available: set.status?.availableReplicas ?? 0,
});

function plan(registry: Registry, deployment: Deployment, next: ReplicaSet, old: readonly ReplicaSet[]): Scale[] {
  const desired = deployment.spec.replicas ?? 1;
  if (deployment.spec.strategy?.type !== 'Recreate') {
    return planRollingUpdate(desired, bounds(deployment), stateOf(next), old.map(stateOf));
  }
  const remaining = registry
    .list(POD, deployment.metadata.namespace)
    .filter((pod) => old.some(({ metadata }) => isControlledBy(pod, metadata.uid)));
  return planRecreate(desired, stateOf(next), old.map(stateOf), remaining.length);
}

function createSet(
  registry: Registry,
  deployment: Deployment,
  owned: readonly ReplicaSet[],
  record: EventRecorder,
): ReplicaSet {
  const hash = templateHash(deployment.spec.template);
  const { name, namespace = '', annotations: { [LAST_APPLIED]: _, ...annotations } = {} } = deployment.metadata;
  const labels = { ...deployment.spec.template.metadata?.labels, [HASH_LABEL]: hash };
  try {
    const created = registry.create(REPLICA_SET, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${name}-${hash}`,
        namespace,
        labels,
        annotations: { ...annotations, [REVISION]: String(latestRevision(owned) + 1) },
        ownerReferences: [controlledBy(deployment)],
      },
      spec: {
        replicas: 0,
        minReadySeconds: deployment.spec.minReadySeconds ?? 0,
        selector: {
          ...deployment.spec.selector,
          matchLabels: { ...deployment.spec.selector.matchLabels, [HASH_LABEL]: hash },
        },
        template: { ...deployment.spec.template, metadata: { ...deployment.spec.template.metadata, labels } },
      },
    });
    return created as ReplicaSet;
  } catch (error) {
    // A leftover of an earlier Deployment of this name, on its way out: look again when it is gone.
    if (reasonOf(error) === 'AlreadyExists')
      record(deployment, 'Warning', 'ReplicaSetCreateError', (error as Error).message);
    throw error;
  }
}

/** Ten characters that depend on the template alone, in Kubernetes' alphabet without vowels. */
function templateHash(template: PodTemplate): string {
  const digits = sha256(canonicalJson(template)).slice(0, 10);
  return digits.replaceAll(/[0-9a-f]/g, (digit) => 'bcdfghjklmnpqrst'[Number.parseInt(digit, 16)] ?? '');
}

const revisionOf = (set: ReplicaSet): number => Number(set.metadata.annotations?.[REVISION] ?? 0);
const latestRevision = (sets: readonly ReplicaSet[]): number => Math.max(0, ...sets.map(revisionOf));

/** The current set always carries the highest revision, also after a return to an earlier template. */
function keepRevision(registry: Registry, next: ReplicaSet, old: readonly ReplicaSet[]): void {
  const highest = latestRevision(old);
  if (revisionOf(next) > highest) return;
  const annotations = { ...next.metadata.annotations, [REVISION]: String(highest + 1) };
  registry.update(REPLICA_SET, { ...next, metadata: { ...next.metadata, annotations } });
}

function applyScale(
  registry: Registry,
  deployment: Deployment,
  { name, replicas }: Scale,
  record: EventRecorder,
): void {
  const set = registry.get(REPLICA_SET, deployment.metadata.namespace ?? '', name);
  if (!set) return;
  const direction = replicas > (set.spec.replicas ?? 0) ? 'up' : 'down';
  registry.update(REPLICA_SET, { ...set, spec: { ...set.spec, replicas } });
  record(
    deployment,
    'Normal',
    'ScalingReplicaSet',
    `Scaled ${direction} replica set ${name} from ${set.spec.replicas ?? 0} to ${replicas}`,
  );
}

function forgetOldSets(registry: Registry, deployment: Deployment, old: readonly ReplicaSet[]): void {
  const idle = old
    .filter((set) => set.spec.replicas === 0 && (set.status?.replicas ?? 0) === 0)
    .sort((a, b) => revisionOf(a) - revisionOf(b));
  const surplus = idle.length - (deployment.spec.revisionHistoryLimit ?? 10);
  for (const { metadata } of idle.slice(0, Math.max(0, surplus)))
    registry.remove(REPLICA_SET, metadata.namespace ?? '', metadata.name);
}

function writeStatus(registry: Registry, { metadata }: Deployment, nextUid: string, now: number): number | undefined {
  const deployment = registry.get(DEPLOYMENT, metadata.namespace ?? '', metadata.name);
  if (!deployment) return undefined;
  const sets = ownedSets(registry, deployment);
  const next = sets.find((set) => set.metadata.uid === nextUid);
  const { status, lookAgainMs } = deploymentStatus(deployment, next, sets, now);
  registry.update(DEPLOYMENT, { ...deployment, status }, 'status');
  const revision = next?.metadata.annotations?.[REVISION];
  if (revision !== undefined && deployment.metadata.annotations?.[REVISION] !== revision) {
    const annotations = { ...deployment.metadata.annotations, [REVISION]: revision };
    const {
      status: _,
      metadata: { resourceVersion: _v, ...own },
      ...rest
    } = deployment;
    registry.update(DEPLOYMENT, { ...rest, metadata: { ...own, annotations } });
  }
  return lookAgainMs;
}

import type { Clock } from '@fairway/core';
import type { Writer } from '../admission/writer.ts';
import { kindKey, POD, REPLICA_SET } from '../kinds.ts';
import { isControlledBy } from '../objects.ts';
import type { Registry } from '../store/registry.ts';
import { isPodFinished, isPodReady, type Pod, type ReplicaSet } from '../workloads.ts';
import type { EventRecorder } from './events.ts';
import { type Controller, keyOf, splitKey } from './loop.ts';
import { createPod } from './new-pod.ts';

/** Keeps the asked number of pods of each ReplicaSet. */
export function replicaSetController(
  registry: Registry,
  writer: Writer,
  clock: Clock,
  record: EventRecorder,
): Controller {
  return {
    name: 'replicaset',
    keys: ({ kind, object }) => {
      if (kind === kindKey(REPLICA_SET)) return [keyOf(object)];
      if (kind !== kindKey(POD)) return [];
      const owner = object.metadata.ownerReferences?.find((ref) => ref.controller && ref.kind === 'ReplicaSet');
      return owner ? [`${object.metadata.namespace}/${owner.name}`] : [];
    },
    async reconcile(key) {
      const set = registry.get(REPLICA_SET, ...splitKey(key));
      if (!set || set.metadata.deletionTimestamp !== undefined) return undefined;
      const pods = activePods(registry, set);
      const missing = (set.spec.replicas ?? 1) - pods.length;
      for (let i = 0; i < missing; i++) await createPod(writer, set, set.spec.template, record);
      if (missing < 0)
        for (const pod of [...pods].sort(expendableFirst).slice(0, -missing)) deletePod(registry, set, pod, record);
      return writeStatus(registry, set, clock.now());
    },
  };
}

const activePods = (registry: Registry, set: ReplicaSet): Pod[] =>
  registry
    .list(POD, set.metadata.namespace)
    .filter(
      (pod) =>
        isControlledBy(pod, set.metadata.uid) && pod.metadata.deletionTimestamp === undefined && !isPodFinished(pod),
    );

/** Pods that serve nobody yet go first, then the youngest. */
const expendableFirst = (a: Pod, b: Pod): number =>
  Number(isPodReady(a)) - Number(isPodReady(b)) ||
  (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1);

function deletePod(registry: Registry, set: ReplicaSet, pod: Pod, record: EventRecorder): void {
  registry.remove(POD, pod.metadata.namespace ?? '', pod.metadata.name);
  record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
}

/** Writes the counts; answers when the next ready pod has been ready for `minReadySeconds`. */
function writeStatus(registry: Registry, before: ReplicaSet, now: number): number | undefined {
  const set = registry.get(REPLICA_SET, before.metadata.namespace ?? '', before.metadata.name);
  if (!set) return undefined;
  const pods = activePods(registry, set);
  const ready = pods.filter(isPodReady);
  const waits = ready.map((pod) => readySince(pod) + 1000 * (set.spec.minReadySeconds ?? 0) - now);
  const status = {
    replicas: pods.length,
    fullyLabeledReplicas: pods.length,
    readyReplicas: ready.length,
    availableReplicas: waits.filter((wait) => wait <= 0).length,
    observedGeneration: set.metadata.generation,
  };
  registry.update(REPLICA_SET, { ...set, status }, 'status');
  const open = waits.filter((wait) => wait > 0);
  return open.length > 0 ? Math.min(...open) : undefined;
}

function readySince(pod: Pod): number {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  return Date.parse(condition?.lastTransitionTime ?? pod.metadata.creationTimestamp);
}

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '@fairway/core';
import { POD } from '../kinds.ts';
import type { Network } from '../network.ts';
import { isPodReady, type Pod } from '../workloads.ts';
import { podDir } from './layout.ts';
import type { KubeletParts } from './parts.ts';
import { type PodRun, runPod, type StopOrder } from './pod.ts';

/** The pods that run here, by `<namespace>/<name>`. */
export type PodTable = {
  get(key: string): PodRun | undefined;
  all(): [key: string, run: PodRun][];
  /** Gives the pod an address and starts it. */
  begin(key: string, pod: Pod): void;
  /** Stops a pod that is being deleted and lets its object go; callable again, only a shorter grace changes anything. */
  leave(key: string, pod: Pod): void;
  /** Kills what runs under this key: its object is gone already. */
  drop(key: string): Promise<void>;
  forget(key: string): void;
};

const NODE = 'fairway';
/** Services need a moment to send new connections elsewhere before the pod hears SIGTERM. */
const UNROUTE_MS = 100;

export function podTable(parts: KubeletParts, network: Network): PodTable {
  const runs = new Map<string, PodRun>();
  /** Pods on their way out by uid, with the grace they were given. */
  const leaving = new Map<string, number>();
  const forget = (key: string, uid: string) => {
    if (runs.get(key)?.uid === uid) runs.delete(key);
  };
  return {
    get: (key) => runs.get(key),
    all: () => [...runs],
    begin(key, pod) {
      const taken = new Set([...runs.values()].map(({ podIP }) => podIP));
      const before = pod.status?.podIP;
      const kept = before !== undefined && network.contains(before) && !taken.has(before);
      const podIP = kept ? before : network.podAddress(taken);
      const assigned = parts.registry.update(POD, { ...pod, spec: { ...pod.spec, nodeName: NODE } }) as Pod;
      runs.set(key, runPod(parts, assigned, podIP));
    },
    leave(key, pod) {
      const { uid, deletionGracePeriodSeconds: grace = 30 } = pod.metadata;
      // Every status change of a stopping pod comes by here again.
      if (grace >= (leaving.get(uid) ?? Number.POSITIVE_INFINITY)) return;
      const order = { deadline: parts.clock.now() + 1000 * grace, hooks: !leaving.has(uid) };
      leaving.set(uid, grace);
      finish(parts, runs.get(key), pod, order)
        .then(() => forget(key, uid))
        .catch((error: Error) => parts.log.error({ pod: key, reason: error.message }, 'pod could not be ended'))
        .finally(() => leaving.delete(uid));
    },
    async drop(key) {
      const run = runs.get(key);
      if (!run) return;
      await run.stop({ deadline: parts.clock.now(), hooks: false });
      clearFolders(run.dir);
      forget(key, run.uid);
    },
    forget: (key) => void runs.delete(key),
  };
}

/** Logs stay, for whoever wants to know why. */
function clearFolders(dir: string): void {
  for (const folder of ['volumes', 'home']) rmSync(join(dir, folder), { recursive: true, force: true });
}

async function finish(parts: KubeletParts, run: PodRun | undefined, pod: Pod, order: StopOrder): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata;
  if (order.hooks && isPodReady(pod)) await pause(UNROUTE_MS);
  if (run?.uid === uid) await run.stop(order);
  clearFolders(podDir(parts.dataDir, pod));
  const { registry } = parts;
  if (registry.get(POD, namespace, name)?.metadata.uid === uid)
    registry.remove(POD, namespace, name, { gracePeriodSeconds: 0 });
}

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf, splitKey, type Controller } from '../controllers/loop.ts';
import { kindKey, POD } from '../kinds.ts';
import type { Network } from '../network.ts';
import { isPodFinished, isPodReady, type Pod, portOwners } from '../workloads.ts';
import { podDir } from './layout.ts';
import type { KubeletParts } from './parts.ts';
import { type PodRun, runPod, type StopOrder } from './pod.ts';
import { podStatus, takeOver } from './pod-status.ts';

export type Kubelet = {
  readonly controller: Controller;
  /** Before anything else starts: nothing of what is stored as running runs now. */
  takeOver(): void;
  /** Ends processes of an earlier life; only then pods are started. */
  start(): Promise<void>;
  /** Stops all containers but leaves their pods in the store, to be started again next time. */
  stop(): Promise<void>;
  /** What runs, for people and for `fairway status`. */
  report(): PodReport[];
};

export type PodReport = {
  readonly namespace: string;
  readonly pod: string;
  readonly podIP: string;
  readonly ready: boolean;
  readonly processes: readonly {
    readonly container: string;
    readonly pid: number;
    readonly ports: readonly { readonly name: string; readonly port: number }[];
    readonly url: string | null;
  }[];
};

/** The whole process has 10 s to stop; hooks are skipped then, since nothing is sent here any more. */
const SHUTDOWN_MS = 7_000;
const NODE = 'fairway';

export function kubelet(parts: KubeletParts, network: Network): Kubelet {
  const runs = new Map<string, PodRun>();
  let ready = () => {};
  const swept = new Promise<void>((resolve) => (ready = resolve));

  const begin = (key: string, pod: Pod) => {
    const taken = new Set([...runs.values()].map(({ podIP }) => podIP));
    const before = pod.status?.podIP;
    const podIP =
      before !== undefined && network.contains(before) && !taken.has(before) ? before : network.podAddress(taken);
    const assigned = parts.registry.update(POD, { ...pod, spec: { ...pod.spec, nodeName: NODE } }) as Pod;
    runs.set(key, runPod(parts, assigned, podIP));
  };
  /** Pods on their way out by uid, with the grace they were given. */
  const leaving = new Map<string, number>();
  const leave = (key: string, pod: Pod) => {
    const { uid, deletionGracePeriodSeconds: grace = 30 } = pod.metadata;
    // Every status change of a stopping pod comes by here again; only a shorter grace is news.
    if (grace >= (leaving.get(uid) ?? Number.POSITIVE_INFINITY)) return;
    const hooks = !leaving.has(uid);
    leaving.set(uid, grace);
    finish(parts, runs.get(key), pod, { deadline: parts.clock.now() + 1000 * grace, hooks })
      .then(() => runs.get(key)?.uid === uid && runs.delete(key))
      .catch((error: Error) => parts.log.error({ pod: key, reason: error.message }, 'pod could not be ended'))
      .finally(() => leaving.delete(uid));
  };
  const reconcile = async (key: string): Promise<undefined> => {
    await swept;
    const pod = parts.registry.get(POD, ...splitKey(key));
    const run = runs.get(key);
    // Removed without grace, perhaps with a successor of the same name: what still runs is killed at once.
    if (run && run.uid !== pod?.metadata.uid) {
      await run.stop({ deadline: parts.clock.now(), hooks: false });
      if (runs.get(key) === run) runs.delete(key);
    }
    if (!pod) return undefined;
    if (pod.metadata.deletionTimestamp !== undefined) leave(key, pod);
    else if (!isPodFinished(pod) && !runs.has(key)) begin(key, pod);
    else if (isPodFinished(pod)) runs.delete(key);
    return undefined;
  };
  return {
    controller: {
      name: 'kubelet',
      keys: ({ kind, object }) => (kind === kindKey(POD) ? [keyOf(object)] : []),
      reconcile,
    },
    takeOver() {
      for (const pod of parts.registry
        .list(POD)
        .filter((pod) => !isPodFinished(pod) && pod.status?.podIP !== undefined)) {
        const now = parts.clock.now();
        const status = podStatus(pod, takeOver(pod, now), pod.status?.podIP ?? '', false, now);
        parts.registry.update(POD, { ...pod, status }, 'status');
      }
    },
    async start() {
      await parts.processes.sweep();
      ready();
    },
    async stop() {
      for (const run of runs.values()) run.hush();
      const deadline = parts.clock.now() + SHUTDOWN_MS;
      await Promise.all([...runs.values()].map((run) => run.stop({ deadline, hooks: false })));
    },
    report: () => [...runs].flatMap(([key, run]) => reportOf(parts.registry.get(POD, ...splitKey(key)), run)),
  };
}

/** Stops a pod that is being deleted, then lets the object go and clears its folders (logs stay). */
async function finish(
  { registry, dataDir }: KubeletParts,
  run: PodRun | undefined,
  pod: Pod,
  order: StopOrder,
): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata;
  if (run?.uid === uid) await run.stop(order);
  for (const folder of ['volumes', 'home'])
    rmSync(join(podDir(dataDir, pod), folder), { recursive: true, force: true });
  if (registry.get(POD, namespace, name)?.metadata.uid === uid)
    registry.remove(POD, namespace, name, { gracePeriodSeconds: 0 });
}

function reportOf(pod: Pod | undefined, run: PodRun): PodReport[] {
  if (pod?.metadata.uid !== run.uid) return [];
  const declared = new Map(portOwners(pod.spec).map(({ name, ports }) => [name, ports ?? []]));
  const processes = run.processes().map(({ container, pid }) => {
    const ports = (declared.get(container) ?? []).map(({ name = '', containerPort }) => ({
      name,
      port: containerPort,
    }));
    const shown = ports.find(({ name }) => !name.startsWith('grpc')) ?? ports[0];
    return { container, pid, ports, url: shown ? `http://${run.podIP}:${shown.port}` : null };
  });
  return [
    {
      namespace: pod.metadata.namespace ?? '',
      pod: pod.metadata.name,
      podIP: run.podIP,
      ready: isPodReady(pod),
      processes,
    },
  ];
}

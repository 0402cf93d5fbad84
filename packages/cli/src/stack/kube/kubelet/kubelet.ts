import { type Controller, keyOf, splitKey } from '../controllers/loop.ts';
import { kindKey, POD } from '../kinds.ts';
import type { Network } from '../network.ts';
import { isPodFinished, isPodReady, type Pod, portOwners } from '../workloads.ts';
import type { KubeletParts } from './parts.ts';
import type { PodRun } from './pod.ts';
import { podStatus, takeOver } from './pod-status.ts';
import { podTable } from './pods.ts';

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

type PodReport = {
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

export function kubelet(parts: KubeletParts, network: Network): Kubelet {
  const { registry, clock } = parts;
  const pods = podTable(parts, network);
  let stopping = false;
  let ready = () => {};
  const swept = new Promise<void>((resolve) => (ready = resolve));

  const reconcile = async (key: string): Promise<undefined> => {
    await swept;
    const uid = registry.get(POD, ...splitKey(key))?.metadata.uid;
    // Removed without grace, perhaps with a successor of the same name: what still runs is killed at once.
    if (pods.get(key) && pods.get(key)?.uid !== uid) await pods.drop(key);
    const pod = registry.get(POD, ...splitKey(key));
    if (!pod || stopping) return undefined;
    if (pod.metadata.deletionTimestamp !== undefined) pods.leave(key, pod);
    else if (isPodFinished(pod)) pods.forget(key);
    else if (!pods.get(key)) pods.begin(key, pod);
    return undefined;
  };
  return {
    controller: {
      name: 'kubelet',
      keys: ({ kind, object }) => (kind === kindKey(POD) ? [keyOf(object)] : []),
      reconcile,
    },
    takeOver: () => resetStatuses(parts),
    async start() {
      await parts.processes.sweep();
      ready();
    },
    async stop() {
      stopping = true;
      const deadline = clock.now() + SHUTDOWN_MS;
      for (const [, run] of pods.all()) run.hush();
      await Promise.all(pods.all().map(([, run]) => run.stop({ deadline, hooks: false })));
    },
    report: () => pods.all().flatMap(([key, run]) => reportOf(registry.get(POD, ...splitKey(key)), run)),
  };
}

function resetStatuses({ registry, clock }: KubeletParts): void {
  for (const pod of registry.list(POD)) {
    if (isPodFinished(pod) || pod.status?.podIP === undefined) continue;
    const status = podStatus(pod, takeOver(pod, clock.now()), pod.status.podIP, false, clock.now());
    registry.update(POD, { ...pod, status }, 'status');
  }
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
  const { name, namespace = '' } = pod.metadata;
  return [{ namespace, pod: name, podIP: run.podIP, ready: isPodReady(pod), processes }];
}

import { mkdirSync } from 'node:fs';
import { pause } from '@fairway/core';
import { POD } from '../kinds.ts';
import type { Pod } from '../workloads.ts';
import { type ContainerRun, runContainer } from './container.ts';
import { podDir } from './layout.ts';
import type { KubeletParts } from './parts.ts';
import { type ContainerRecord, podStatus, takeOver } from './pod-status.ts';
import { mountVolumes } from './volumes.ts';

/** How a pod is stopped: until when (clock time), and whether its preStop hooks run. */
export type StopOrder = { readonly deadline: number; readonly hooks: boolean };

/** A pod whose containers run here. */
export type PodRun = {
  readonly uid: string;
  readonly podIP: string;
  /** Resolves when no container runs and none will be started. */
  readonly ended: Promise<void>;
  /** Pid by container name, of the ones that run. */
  processes(): { readonly container: string; readonly pid: number }[];
  /** Main containers first, then sidecars in reverse order. A second call may only shorten the deadline. */
  stop(order: StopOrder): Promise<void>;
  /** Writes no more status: what is stored stays as it was while the pod ran. */
  hush(): void;
};

/** A sidecar gets at least this after the last main container, even when the grace is used up. */
const SIDECAR_MIN_MS = 500;
const MOUNT_RETRY_MS = 300;

/** Runs a pod: volumes, init containers in order, sidecars, main containers. Its status follows every change. */
export function runPod(parts: KubeletParts, pod: Pod, podIP: string): PodRun {
  const records = takeOver(pod, parts.clock.now());
  const runs = new Map<ContainerRecord, ContainerRun>();
  const ending = new AbortController();
  let [silent, over] = [false, false];
  const report = () => {
    if (!silent) writeStatus(parts, pod, records, podIP, over);
  };
  const start = (record: ContainerRecord, volumes: ReadonlyMap<string, string>): ContainerRun => {
    const run = runContainer(parts, { pod, podIP, volumes, changed: report }, record);
    runs.set(record, run);
    return run;
  };
  const life = async (): Promise<void> => {
    report();
    const volumes = await mountAll(parts, pod, ending.signal);
    if (volumes && (await initialize(records, (record) => start(record, volumes), ending.signal))) {
      const mains = records
        .filter(({ role, state }) => role === 'main' && !state.terminated)
        .map((record) => start(record, volumes));
      await Promise.all(mains.map(({ ended }) => ended));
    }
    if (!ending.signal.aborted) await stopSidecars(parts, runs, graceDeadline(parts, pod), true);
    await Promise.all([...runs.values()].map(({ ended }) => ended));
    over = true;
    report();
  };
  const ended = life().catch((error: Error) =>
    parts.log.error({ pod: pod.metadata.name, reason: error.message, stack: error.stack }, 'pod failed'),
  );
  return {
    uid: pod.metadata.uid,
    podIP,
    ended,
    processes: () =>
      [...runs].flatMap(([{ spec }, { pid }]) => (pid === undefined ? [] : [{ container: spec.name, pid }])),
    hush: () => void (silent = true),
    async stop({ deadline, hooks }) {
      ending.abort();
      parts.record(pod, 'Normal', 'Killing', 'Stopping containers');
      await stopMains(parts, runs, deadline, hooks);
      await stopSidecars(parts, runs, deadline, false);
      await ended;
    },
  };
}

const graceDeadline = ({ clock }: KubeletParts, { spec }: Pod): number =>
  clock.now() + 1000 * (spec.terminationGracePeriodSeconds ?? 30);

function writeStatus(
  { registry, clock }: KubeletParts,
  { metadata }: Pod,
  records: readonly ContainerRecord[],
  podIP: string,
  over: boolean,
): void {
  const current = registry.get(POD, metadata.namespace ?? '', metadata.name);
  if (current?.metadata.uid !== metadata.uid) return;
  registry.update(POD, { ...current, status: podStatus(current, records, podIP, over, clock.now()) }, 'status');
}

/** Waits until every Secret, ConfigMap and claim is there; undefined when the pod was stopped before. */
async function mountAll(
  parts: KubeletParts,
  pod: Pod,
  ending: AbortSignal,
): Promise<ReadonlyMap<string, string> | undefined> {
  const dir = podDir(parts.dataDir, pod);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  while (!ending.aborted) {
    const mounted = mountVolumes(parts.registry, pod, dir);
    if ('ok' in mounted) return mounted.ok;
    parts.record(pod, 'Warning', 'FailedMount', `MountVolume failed: ${mounted.waiting}`);
    await pause(MOUNT_RETRY_MS, ending);
  }
  return undefined;
}

/** Init containers in order; a sidecar lets the next one start once it has started. False when the main ones must not start. */
async function initialize(
  records: readonly ContainerRecord[],
  start: (record: ContainerRecord) => ContainerRun,
  ending: AbortSignal,
): Promise<boolean> {
  for (const record of records.filter(({ role }) => role !== 'main')) {
    if (ending.aborted) return false;
    const run = start(record);
    await (record.role === 'sidecar' ? run.started : run.ended);
    if (record.role === 'init' && record.state.terminated?.exitCode !== 0) return false;
  }
  return !ending.aborted;
}

type Runs = ReadonlyMap<ContainerRecord, ContainerRun>;

/** All hooks at once, those of the sidecars too; then SIGTERM for everything but sidecars. */
async function stopMains({ clock }: KubeletParts, runs: Runs, deadline: number, hooks: boolean): Promise<void> {
  const cutoff = AbortSignal.timeout(Math.max(0, deadline - clock.now()));
  const hook = (run: ContainerRun) => (hooks ? run.preStop(cutoff) : Promise.resolve());
  const sidecarHooks: Promise<void>[] = [];
  const stops: Promise<void>[] = [];
  for (const [{ role }, run] of runs) {
    if (role === 'sidecar') sidecarHooks.push(hook(run));
    else stops.push(hook(run).then(() => run.stop(deadline)));
  }
  await Promise.all([...stops, ...sidecarHooks]);
}

/** SIGTERM in reverse order of start. Where the mains ended by themselves, the hooks have not run yet. */
async function stopSidecars({ clock }: KubeletParts, runs: Runs, deadline: number, hooks: boolean): Promise<void> {
  for (const [{ role }, run] of [...runs].reverse()) {
    if (role !== 'sidecar') continue;
    if (hooks) await run.preStop(AbortSignal.timeout(Math.max(0, deadline - clock.now())));
    await run.stop(Math.max(deadline, clock.now() + SIDECAR_MIN_MS));
  }
}

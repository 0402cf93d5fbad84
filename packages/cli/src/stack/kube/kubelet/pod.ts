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
  /** Its folder on this host. */
  readonly dir: string;
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
  const life = async (): Promise<void> => {
    report();
    const volumes = await mountAll(parts, pod, ending.signal);
    const start = (record: ContainerRecord): ContainerRun => {
      const run = runContainer(parts, { pod, podIP, volumes, changed: report }, record);
      runs.set(record, run);
      return run;
    };
    await runToEnd(records, start, ending.signal);
    if (!ending.signal.aborted) await stopSidecars(parts, runs, graceDeadline(parts, pod), true);
    await Promise.all([...runs.values()].map(({ ended }) => ended));
    over = true;
    report();
  };
  const ended = life().catch((error: Error) =>
    parts.log.error({ pod: pod.metadata.name, reason: error.message }, 'pod failed'),
  );
  return {
    uid: pod.metadata.uid,
    podIP,
    dir: podDir(parts.dataDir, pod),
    processes: () => runningIn(runs),
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

const runningIn = (runs: Runs) =>
  [...runs].flatMap(([{ spec }, { pid }]) => (pid === undefined ? [] : [{ container: spec.name, pid }]));

const graceDeadline = ({ clock }: KubeletParts, { spec }: Pod): number =>
  clock.now() + 1000 * (spec.terminationGracePeriodSeconds ?? 30);

function writeStatus(
  { registry, clock, log }: KubeletParts,
  { metadata: { name, namespace = '', uid } }: Pod,
  records: readonly ContainerRecord[],
  podIP: string,
  over: boolean,
): void {
  const current = registry.get(POD, namespace, name);
  if (current?.metadata.uid !== uid) return;
  try {
    registry.update(POD, { ...current, status: podStatus(current, records, podIP, over, clock.now()) }, 'status');
  } catch (error) {
    // A full disk must not end the containers; the next change writes the whole status again.
    log.warn({ pod: name, reason: (error as Error).message }, 'pod status could not be stored');
  }
}

/** Host folders by volume name, once every Secret, ConfigMap and claim is there; none when the pod is stopped before. */
async function mountAll(parts: KubeletParts, pod: Pod, ending: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const dir = podDir(parts.dataDir, pod);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  while (!ending.aborted) {
    const mounted = mountVolumes(parts.registry, pod, dir);
    if ('ok' in mounted) return mounted.ok;
    parts.record(pod, 'Warning', 'FailedMount', `MountVolume failed: ${mounted.waiting}`);
    await pause(MOUNT_RETRY_MS, ending);
  }
  return new Map();
}

/**
 * Init containers in order (a sidecar lets the next one start once it has started up), then the main ones until they
 * have ended for good. Nothing is started any more when an init container has failed or the pod is stopped.
 */
async function runToEnd(
  records: readonly ContainerRecord[],
  start: (record: ContainerRecord) => ContainerRun,
  ending: AbortSignal,
): Promise<void> {
  for (const record of records.filter(({ role }) => role !== 'main')) {
    if (ending.aborted) return;
    const run = start(record);
    await (record.role === 'sidecar' ? run.started : run.ended);
    if (record.role === 'init' && record.state.terminated?.exitCode !== 0) return;
  }
  if (ending.aborted) return;
  const mains = records.filter(({ role, state }) => role === 'main' && !state.terminated).map(start);
  await Promise.all(mains.map(({ ended }) => ended));
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

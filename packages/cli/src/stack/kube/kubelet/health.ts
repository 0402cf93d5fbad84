import { pause } from '@fairway/core';
import type { Probe } from '../workloads.ts';
import type { ContainerPlace, KubeletParts } from './parts.ts';
import type { ContainerRecord } from './pod-status.ts';
import { ask, watchProbe } from './probes.ts';
import type { ContainerProcess } from './processes.ts';

type Started = { readonly child: ContainerProcess; readonly announceStart: () => void };
type Watched = { readonly pass: () => void; readonly fail: (reason: string) => void };

/**
 * Startup first; once it has passed, readiness and liveness. Without a probe a running container counts as started, and
 * as ready. Ends with `signal`.
 */
export function startProbes(
  parts: KubeletParts,
  place: ContainerPlace,
  record: ContainerRecord,
  { child, announceStart }: Started,
  signal: AbortSignal,
): void {
  const { startupProbe, readinessProbe, livenessProbe } = record.spec;
  const watch = (probe: Probe, on: Watched, until = signal) =>
    void watchProbe(probe, () => ask(probe, record.spec, place.podIP), on, parts.clock, until);
  const restart = (what: string) => restarting(parts, place, record, child, what, signal);
  const setReady = (ready: boolean, failure?: string) => {
    if (failure !== undefined) parts.record(place.pod, 'Warning', 'Unhealthy', `Readiness probe failed: ${failure}`);
    record.ready = ready;
    place.changed();
  };
  const onStarted = () => {
    record.started = true;
    announceStart();
    setReady(readinessProbe === undefined);
    if (livenessProbe) watch(livenessProbe, { pass: () => {}, fail: restart('Liveness') });
    if (readinessProbe) watch(readinessProbe, { pass: () => setReady(true), fail: (why) => setReady(false, why) });
  };
  if (!startupProbe) return onStarted();
  const passed = new AbortController();
  const pass = () => {
    passed.abort();
    onStarted();
  };
  return watch(startupProbe, { pass, fail: restart('Startup') }, AbortSignal.any([signal, passed.signal]));
}

/** What a failed startup or liveness probe does: the container is stopped within the pod's grace and started again. */
function restarting(
  { record: say, log }: KubeletParts,
  { pod }: ContainerPlace,
  { spec }: ContainerRecord,
  child: ContainerProcess,
  what: string,
  signal: AbortSignal,
): (reason: string) => void {
  return (reason) => {
    say(pod, 'Warning', 'Unhealthy', `${what} probe failed: ${reason}`);
    say(pod, 'Normal', 'Killing', `Container ${spec.name} failed ${what.toLowerCase()} probe, will be restarted`);
    log.info({ pod: pod.metadata.name, container: spec.name, reason }, 'container is restarted');
    child.terminate();
    void pause(1000 * (pod.spec.terminationGracePeriodSeconds ?? 30), signal).then(
      () => signal.aborted || child.kill(),
    );
  };
}

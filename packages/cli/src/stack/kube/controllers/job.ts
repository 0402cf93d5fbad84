import type { Clock } from '@fairway/core';
import type { Writer } from '../admission/writer.ts';
import { JOB, kindKey, POD } from '../kinds.ts';
import { type Condition, isControlledBy, kubeTime, withCondition } from '../objects.ts';
import type { Registry } from '../store/registry.ts';
import { isPodFinished, isPodReady, type Job, type Pod } from '../workloads.ts';
import type { EventRecorder } from './events.ts';
import { type Controller, keyOf, splitKey } from './loop.ts';
import { createPod } from './new-pod.ts';

/** A failed pod is tried again after 1 s, doubled each time, at most a minute (Kubernetes starts at 10 s). */
const retryMs = (failures: number): number => Math.min(1000 * 2 ** (failures - 1), 60_000);

/** Why a Job is over. */
type Outcome = { readonly type: 'Complete' | 'Failed'; readonly reason: string; readonly message: string };

/** Runs Jobs to completion: pods, retries, deadlines, and removal after `ttlSecondsAfterFinished`. */
export function jobController(registry: Registry, writer: Writer, clock: Clock, record: EventRecorder): Controller {
  const objects = { registry, writer };
  return {
    name: 'job',
    keys: ({ kind, object }) => {
      if (kind === kindKey(JOB)) return [keyOf(object)];
      if (kind !== kindKey(POD)) return [];
      const owner = object.metadata.ownerReferences?.find((ref) => ref.controller && ref.kind === 'Job');
      return owner ? [`${object.metadata.namespace}/${owner.name}`] : [];
    },
    async reconcile(key) {
      const job = registry.get(JOB, ...splitKey(key));
      if (!job || job.metadata.deletionTimestamp !== undefined) return undefined;
      const ended = job.status?.conditions?.find(
        ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
      );
      return ended ? expire(registry, job, ended, clock.now()) : advance(objects, job, clock.now(), record);
    },
  };
}

function expire(registry: Registry, job: Job, { lastTransitionTime = '' }: Condition, now: number): number | undefined {
  const ttl = job.spec.ttlSecondsAfterFinished;
  if (ttl === undefined) return undefined;
  const left = Date.parse(lastTransitionTime) + ttl * 1000 - now;
  if (left <= 0) registry.remove(JOB, job.metadata.namespace ?? '', job.metadata.name);
  return left <= 0 ? undefined : left;
}

type Objects = { readonly registry: Registry; readonly writer: Writer };

async function advance(
  { registry, writer }: Objects,
  job: Job,
  now: number,
  record: EventRecorder,
): Promise<number | undefined> {
  const pods = registry.list(POD, job.metadata.namespace).filter((pod) => isControlledBy(pod, job.metadata.uid));
  const counts = countPods(pods);
  const startTime = job.status?.startTime ?? kubeTime(now);
  const outcome = outcomeOf(job, pods, counts, Date.parse(startTime), now);
  const active = pods.filter((pod) => !isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined);
  if (outcome || job.spec.suspend)
    for (const { metadata } of active) registry.remove(POD, metadata.namespace ?? '', metadata.name);
  const wait = outcome || job.spec.suspend ? undefined : await startPods(writer, job, active, pods, now, record);
  writeStatus(registry, job, { startTime, outcome, now });
  if (outcome)
    record(
      job,
      outcome.type === 'Complete' ? 'Normal' : 'Warning',
      outcome.type === 'Complete' ? 'Completed' : outcome.reason,
      outcome.message,
    );
  const deadline = job.spec.activeDeadlineSeconds;
  const left = deadline === undefined || outcome ? [] : [Date.parse(startTime) + deadline * 1000 - now];
  const waits = [...left, ...(wait === undefined ? [] : [wait])];
  return waits.length === 0 ? undefined : Math.max(10, Math.min(...waits));
}

type Counts = { readonly succeeded: number; readonly failed: number };

function countPods(pods: readonly Pod[]): Counts {
  const inPhase = (phase: string) => pods.filter((pod) => pod.status?.phase === phase).length;
  return { succeeded: inPhase('Succeeded'), failed: inPhase('Failed') };
}

function outcomeOf(
  job: Job,
  pods: readonly Pod[],
  counts: Counts,
  startedAt: number,
  now: number,
): Outcome | undefined {
  const refused = pods.map((pod) => refusedByPolicy(job, pod)).find((message) => message !== undefined);
  if (counts.succeeded >= (job.spec.completions ?? 1)) {
    return { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
  }
  if (refused !== undefined) return { type: 'Failed', reason: 'PodFailurePolicy', message: refused };
  // With OnFailure the pod stays and its containers restart: those restarts count as failures too.
  const restarts = pods.reduce(
    (sum, pod) => sum + (pod.status?.containerStatuses ?? []).reduce((all, { restartCount }) => all + restartCount, 0),
    0,
  );
  if (counts.failed + restarts > (job.spec.backoffLimit ?? 6)) {
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  }
  const deadline = job.spec.activeDeadlineSeconds;
  return deadline !== undefined && startedAt + deadline * 1000 <= now
    ? { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
    : undefined;
}

/** A rule `FailJob` with `onExitCodes` ends the Job without further tries. */
function refusedByPolicy(job: Job, pod: Pod): string | undefined {
  if (pod.status?.phase !== 'Failed') return undefined;
  for (const { name, state } of pod.status.containerStatuses ?? []) {
    const code = state.terminated?.exitCode;
    if (code === undefined || code === 0) continue;
    const index = (job.spec.podFailurePolicy?.rules ?? []).findIndex(({ onExitCodes }) => {
      if (!onExitCodes || (onExitCodes.containerName ?? name) !== name) return false;
      return onExitCodes.values.includes(code) === (onExitCodes.operator === 'In');
    });
    if (index < 0 || job.spec.podFailurePolicy?.rules[index]?.action !== 'FailJob') continue;
    return `Container ${name} for pod ${pod.metadata.namespace}/${pod.metadata.name} failed with exit code ${code} matching FailJob rule at index ${index}`;
  }
  return undefined;
}

/** Creates missing pods; answers how long to wait where a retry is not due yet. */
async function startPods(
  writer: Writer,
  job: Job,
  active: readonly Pod[],
  pods: readonly Pod[],
  now: number,
  record: EventRecorder,
): Promise<number | undefined> {
  const { succeeded, failed } = countPods(pods);
  const wanted = Math.min(job.spec.parallelism ?? 1, (job.spec.completions ?? 1) - succeeded);
  if (active.length >= wanted) return undefined;
  const lastFailure = Math.max(0, ...pods.filter((pod) => pod.status?.phase === 'Failed').map(finishedAt));
  const wait = failed === 0 ? 0 : lastFailure + retryMs(failed) - now;
  if (wait > 0) return wait;
  for (let i = active.length; i < wanted; i++) await createPod(writer, job, job.spec.template, record);
  return undefined;
}

const finishedAt = (pod: Pod): number =>
  Math.max(
    0,
    ...(pod.status?.containerStatuses ?? []).map(({ state }) =>
      Date.parse(state.terminated?.finishedAt ?? '1970-01-01T00:00:00Z'),
    ),
  );

function writeStatus(
  registry: Registry,
  before: Job,
  { startTime, outcome, now }: { startTime: string; outcome: Outcome | undefined; now: number },
): void {
  const job = registry.get(JOB, before.metadata.namespace ?? '', before.metadata.name);
  if (!job) return;
  const pods = registry.list(POD, job.metadata.namespace).filter((pod) => isControlledBy(pod, job.metadata.uid));
  const active = outcome
    ? []
    : pods.filter((pod) => !isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined);
  const { succeeded, failed } = countPods(pods);
  const conditions = outcome ? ended(job, outcome, now) : (job.status?.conditions ?? []);
  const status = {
    startTime,
    active: active.length,
    ready: active.filter(isPodReady).length,
    ...(succeeded > 0 ? { succeeded } : {}),
    ...(failed > 0 ? { failed } : {}),
    ...(outcome?.type === 'Complete' ? { completionTime: kubeTime(now) } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
  registry.update(JOB, { ...job, status }, 'status');
}

function ended(job: Job, { type, reason, message }: Outcome, now: number): Condition[] {
  const target = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
  const conditions = withCondition(job.status?.conditions, { type: target, status: 'True', reason, message }, now);
  return withCondition(conditions, { type, status: 'True', reason, message }, now);
}

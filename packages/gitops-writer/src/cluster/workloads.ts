import type { V1Deployment, V1Job, V1Pod } from '@kubernetes/client-node';
import type { Deployment, Job, Pod } from '../ports.ts';

const STAMP = 'fairway.dev/change';
/** Kubernetes' own. */
const DEADLINE_S = 600;

export function toDeployment({ metadata, spec, status }: V1Deployment): Deployment {
  const stamp = spec?.template.metadata?.annotations?.[STAMP];
  const stuck = status?.conditions?.find(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  );
  const complete = status?.conditions?.find(
    ({ type, reason }) => type === 'Progressing' && reason === 'NewReplicaSetAvailable',
  );
  const rolledOutAt = complete?.lastUpdateTime ?? complete?.lastTransitionTime;
  return {
    generation: metadata?.generation ?? 0,
    observedGeneration: status?.observedGeneration ?? 0,
    desired: spec?.replicas ?? 1,
    replicas: status?.replicas ?? 0,
    updated: status?.updatedReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
    selector: spec?.selector.matchLabels ?? {},
    deadlineMs: (spec?.progressDeadlineSeconds ?? DEADLINE_S) * 1_000,
    ...(stamp === undefined ? {} : { stamp }),
    ...(stuck === undefined ? {} : { stuck: stuck.message ?? 'it passed its progress deadline' }),
    ...(rolledOutAt === undefined ? {} : { rolledOutAt: rolledOutAt.toISOString() }),
  };
}

export function toPod({ metadata, status }: V1Pod): Pod {
  const stamp = metadata?.annotations?.[STAMP];
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const ended = containers.flatMap(({ state }) => state?.terminated ?? []);
  const crashing = containers.flatMap(({ name, restartCount, state }) =>
    state?.waiting?.reason === 'CrashLoopBackOff' ? [{ container: name, restarts: restartCount }] : [],
  );
  const lastWords = ended.flatMap(({ message = '' }) => (message === '' ? [] : [message]));
  return {
    name: metadata?.name ?? '',
    ready: status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false,
    terminating: metadata?.deletionTimestamp !== undefined,
    exitCodes: ended.map(({ exitCode }) => exitCode),
    ...(crashing.length === 0 ? {} : { crashing }),
    ...(lastWords.length === 0 ? {} : { lastWords }),
    ...(stamp === undefined ? {} : { stamp }),
    ...(status?.podIP === undefined ? {} : { ip: status.podIP }),
  };
}

export function toJob({ status }: V1Job): Job {
  const is = (wanted: string) =>
    status?.conditions?.find(({ type, status: value }) => type === wanted && value === 'True');
  const failure = is('Failed');
  if (failure !== undefined) return { state: 'failed', reason: failure.message ?? failure.reason ?? 'no reason given' };
  return { state: is('Complete') === undefined ? 'running' : 'succeeded' };
}

import { kindKey, type Kind } from '../kinds.ts';
import type { Condition, KubeObject } from '../objects.ts';
import type { Deployment, Job, Pod } from '../workloads.ts';
import type { Health, HealthCode } from './types.ts';

/** From best to worst, as Argo CD orders them: an application is as healthy as its worst resource. */
const ORDER: readonly HealthCode[] = ['Healthy', 'Suspended', 'Progressing', 'Missing', 'Degraded', 'Unknown'];

/** The worst of all; an application without resources is healthy. */
export function worstHealth(all: readonly (Health | undefined)[]): HealthCode {
  const ranks = all.flatMap((health) => (health ? [ORDER.indexOf(health.status)] : []));
  return ORDER[Math.max(0, ...ranks)] ?? 'Unknown';
}

/** Health of one live object by Argo CD's built-in checks (gitops-engine, `pkg/health`); undefined for kinds without one. */
export function healthOf(kind: Kind, object: KubeObject): Health | undefined {
  const check = CHECKS[kindKey(kind)];
  if (check && object.metadata.deletionTimestamp !== undefined)
    return { status: 'Progressing', message: 'Pending deletion' };
  return check?.(object);
}

const CHECKS: Readonly<Record<string, (object: KubeObject) => Health>> = {
  'apps/Deployment': (object) => deploymentHealth(object as Deployment),
  'batch/Job': (object) => jobHealth(object as Job),
  '/Pod': (object) => podHealth(object as Pod),
  '/Service': () => ({ status: 'Healthy' }),
  '/PersistentVolumeClaim': (object) => claimHealth((object['status'] as { phase?: string } | undefined)?.phase),
};

const find = (conditions: readonly Condition[] | undefined, type: string) =>
  conditions?.find((condition) => condition.type === type && condition.status === 'True');

function deploymentHealth({ metadata, spec, status = {} }: Deployment): Health {
  if (spec.paused) return { status: 'Suspended', message: 'Deployment is paused' };
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    return {
      status: 'Progressing',
      message: 'Waiting for rollout to finish: observed deployment generation less than desired generation',
    };
  }
  const late = status.conditions?.some(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  );
  if (late) return { status: 'Degraded', message: `Deployment "${metadata.name}" exceeded its progress deadline` };
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status;
  const waiting = (what: string): Health => ({
    status: 'Progressing',
    message: `Waiting for rollout to finish: ${what}...`,
  });
  if (updatedReplicas < (spec.replicas ?? 1))
    return waiting(`${updatedReplicas} out of ${spec.replicas ?? 1} new replicas have been updated`);
  if (replicas > updatedReplicas) return waiting(`${replicas - updatedReplicas} old replicas are pending termination`);
  if (availableReplicas < updatedReplicas)
    return waiting(`${availableReplicas} of ${updatedReplicas} updated replicas are available`);
  return { status: 'Healthy' };
}

function jobHealth({ spec, status }: Job): Health {
  const failed = find(status?.conditions, 'Failed');
  if (failed) return { status: 'Degraded', message: failed.message ?? '' };
  const complete = find(status?.conditions, 'Complete');
  if (complete) return { status: 'Healthy', message: complete.message ?? '' };
  return spec.suspend ? { status: 'Suspended' } : { status: 'Progressing' };
}

function podHealth({ spec, status }: Pod): Health {
  const waiting = (status?.containerStatuses ?? [])
    .map(({ state }) => state.waiting)
    .find((state) => state && /^Err|Error$|BackOff$/.test(state.reason));
  if (waiting && spec.restartPolicy === 'Always')
    return { status: 'Degraded', message: waiting.message ?? waiting.reason };
  switch (status?.phase) {
    case 'Succeeded':
      return { status: 'Healthy', message: status.message ?? '' };
    case 'Failed':
      return { status: 'Degraded', message: status.message ?? '' };
    case 'Running':
      if (spec.restartPolicy !== 'Always') return { status: 'Progressing' };
      return find(status.conditions, 'Ready') ? { status: 'Healthy' } : { status: 'Progressing' };
    case 'Pending':
    case undefined:
      return { status: 'Progressing' };
    default:
      return { status: 'Unknown' };
  }
}

function claimHealth(phase: string | undefined): Health {
  if (phase === 'Bound') return { status: 'Healthy' };
  return phase === 'Lost' ? { status: 'Degraded' } : { status: 'Progressing' };
}

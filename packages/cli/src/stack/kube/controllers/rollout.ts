import type { Deployment, PortRef } from '../workloads.ts';

/** What a rollout needs to know of one ReplicaSet. `replicas` is what it was asked for, `available` what it has. */
export type SetState = { readonly name: string; readonly replicas: number; readonly available: number };
export type Scale = { readonly name: string; readonly replicas: number };

/** A count or a percentage of `of`. */
function resolve(value: PortRef, of: number, round: (n: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseFloat(value) * of) / 100);
}

/** `maxSurge` and `maxUnavailable` as counts: surge rounds up, unavailability down, and both zero would stand still. */
export function bounds(deployment: Deployment): { surge: number; unavailable: number } {
  const desired = deployment.spec.replicas ?? 1;
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = resolve(maxSurge, desired, Math.ceil);
  const unavailable = resolve(maxUnavailable, desired, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : Math.min(unavailable, desired) };
}

/**
 * One step of a rolling update, as Kubernetes' deployment controller takes it: the new set grows while all sets together
 * stay within desired + surge; old sets shrink, broken replicas first, while desired - unavailable stay available.
 */
export function planRollingUpdate(
  desired: number,
  limits: { surge: number; unavailable: number },
  next: SetState,
  old: readonly SetState[],
): Scale[] {
  const total = next.replicas + old.reduce((sum, set) => sum + set.replicas, 0);
  const room = Math.max(0, desired + limits.surge - total);
  const grown = Math.min(desired, next.replicas + room);
  const scales: Scale[] = grown === next.replicas ? [] : [{ name: next.name, replicas: grown }];
  const minAvailable = desired - limits.unavailable;
  let removable = total - minAvailable - (next.replicas - next.available);
  let spare = next.available + old.reduce((sum, set) => sum + set.available, 0) - minAvailable;
  for (const set of old) {
    const broken = Math.max(0, Math.min(removable, set.replicas - set.available));
    const healthy = Math.max(0, Math.min(removable - broken, spare, set.replicas - broken));
    removable -= broken + healthy;
    spare -= healthy;
    if (broken + healthy > 0) scales.push({ name: set.name, replicas: set.replicas - broken - healthy });
  }
  return scales;
}

/** `Recreate`: everything old goes before anything new comes. `remaining`: pods of old sets that still exist. */
export function planRecreate(desired: number, next: SetState, old: readonly SetState[], remaining: number): Scale[] {
  const down = old.filter(({ replicas }) => replicas > 0).map(({ name }) => ({ name, replicas: 0 }));
  if (down.length > 0 || remaining > 0) return down;
  return next.replicas === desired ? [] : [{ name: next.name, replicas: desired }];
}

import type { Application, Deployment } from '../../ports.ts';
import type { Objection } from './objection.ts';

/**
 * Condition 7, proof outside Argo CD: the Deployment carries our stamp in its pod template and has rolled out. Argo CD can
 * say Synced at our revision while older manifests run (argo-cd #26530).
 */
export function rolledOut(
  deployment: Deployment | undefined,
  stamp: string,
  { health, healthSince }: Application,
): Objection | undefined {
  const objection = unfinished(deployment, stamp);
  if (objection === undefined || objection.fails === true || health !== 'Degraded') return objection;
  // Until our own rollout is done, a Degraded Application is what somebody else left behind.
  const since = healthSince === undefined ? '' : ` since ${healthSince}`;
  return {
    ...objection,
    reason: `${objection.reason} Argo CD says Degraded${since}, which counts once it is complete.`,
  };
}

function unfinished(deployment: Deployment | undefined, stamp: string): Objection | undefined {
  if (deployment === undefined) return progressing('The Deployment is not there.');
  if (deployment.stamp !== stamp) {
    const carried = deployment.stamp === undefined ? 'no change' : `change ${deployment.stamp}`;
    return progressing(
      `Argo CD says it has applied the change, and the Deployment carries ${carried}; if that stays, sync the Application again.`,
    );
  }
  if (deployment.observedGeneration < deployment.generation) return progressing('The rollout has not begun.');
  // Only of use after the generation was observed: before, the condition is of the rollout before.
  if (deployment.stuck !== undefined)
    return { state: 'degraded', reason: `The rollout failed: ${deployment.stuck}`, fails: true };
  const { desired, replicas, updated, available } = deployment;
  if (desired === 0) return progressing('The Deployment is scaled to zero, so nothing serves the version.');
  if (updated === desired && replicas === desired && available === desired) return undefined;
  return progressing(`${available} of ${desired} pods are available, ${updated} updated, ${replicas} in all.`);
}

const progressing = (reason: string): Objection => ({ state: 'progressing', reason });

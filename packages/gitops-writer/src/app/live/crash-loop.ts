import type { Deployment, Pod } from '../../ports.ts';
import type { Objection } from './objection.ts';

/** A container that falls while it starts may still come up: a database it waits for, a node under pressure. */
const LEAST_RESTARTS = 3;

/**
 * Pods that fall after the rollout was complete: Kubernetes counts no deadline any more and restarts them for ever, and Argo CD
 * says Progressing. What is restarted in vain (CrashLoopBackOff) when the progress deadline has gone by once more has failed.
 */
export function crashLoop(pods: readonly Pod[], stamp: string): Objection | undefined {
  for (const { name, crashing = [], terminating, stamp: carried } of pods) {
    const fallen = crashing.find(({ restarts }) => restarts >= LEAST_RESTARTS);
    if (fallen === undefined || terminating || carried !== stamp) continue;
    return {
      state: 'degraded',
      // No count in it: the sentence stays the same while the pod goes on falling.
      reason: `The rollout was complete, and container ${fallen.container} of pod ${name} is restarted in vain since (CrashLoopBackOff); its log says why: kubectl logs ${name} --container ${fallen.container} --previous.`,
      fails: true,
    };
  }
  return undefined;
}

/** Whether the rollout was complete, lacks pods now, and had its progress deadline once more since `since` (RFC 3339) to get them. */
export function isOverdue(
  { deadlineMs, available, desired }: Deployment,
  since: string | undefined,
  now: number,
): boolean {
  return since !== undefined && available < desired && now - Date.parse(since) >= deadlineMs;
}

import { failed, FairwayError, succeeded, waiting } from '@fairway/core';
import type { StoredChange } from '../../change.ts';
import type { Application, Deployment } from '../../ports.ts';
import { environmentName } from '../../render/paths.ts';
import { type PodWord, type RolloutVerdict, rolloutVerdict } from '../live.ts';
import { liveNotice } from '../notices.ts';
import { pollDelay } from '../retry.ts';
import { phaseAge, type Step, type StepContext } from '../step.ts';
import { lookAtSync, unsynced } from './await-sync.ts';

/** Proof outside Argo CD: the stamped Deployment has rolled out and TensorFlow Serving says AVAILABLE in every ready pod. */
export const verify: Step = {
  name: 'verify',
  async run(stored, context) {
    const { application, verdict } = await lookAtSync(stored, context);
    if (verdict.state !== 'synced' || application === undefined) return unsynced(stored, context, verdict);
    const rollout = await lookAtRollout(stored, context, application);
    if (rollout.state === 'degraded') return failed(new FairwayError('sync.failed', rollout.reason));
    if (rollout.state === 'progressing') return waiting(pollDelay(phaseAge(stored, context.clock)), rollout.reason);
    if (stored.facts.mergeCommit !== undefined) {
      await context.forge.setStatus(stored.facts.mergeCommit, {
        context: 'fairway/live',
        state: 'success',
        description: rollout.reason,
      });
    }
    // A change that found its bytes on the branch already has nothing new to tell.
    const told = stored.change.pullRequest === undefined ? {} : { notice: liveNotice(stored) };
    return succeeded({ phase: 'live', reason: rollout.reason, ...told });
  },
};

async function lookAtRollout(
  { change, facts }: StoredChange,
  { cluster }: StepContext,
  application: Application,
): Promise<RolloutVerdict> {
  const namespace = environmentName(change.model, change.environment);
  const stamp = facts.stamp ?? change.id;
  const deployment = await cluster.deployment(namespace, change.model);
  const rolledOut = rolloutVerdict(application, deployment, [], stamp);
  // Pods are asked only once everything before them holds: the verdict without pods names the first thing that does not.
  if (deployment === undefined || !isRolledOut(deployment, stamp)) return rolledOut;
  const pods = await cluster.pods(namespace, deployment.selector);
  const ready = pods.filter((pod) => pod.ready && !pod.terminating);
  const words = ready.map(
    async (pod): Promise<PodWord> => ({
      pod,
      serving: await cluster.servingState(pod, change.model, change.version),
    }),
  );
  return rolloutVerdict(application, deployment, await Promise.all(words), stamp);
}

const isRolledOut = ({ stamp, available, desired }: Deployment, wanted: string): boolean =>
  stamp === wanted && available === desired;

import type { Liveness } from '@fairway/core';
import type { StoredChange } from '../change.ts';
import { environmentName } from '../render/paths.ts';
import { type LookContext, lookAtSync, targetOf } from './live/look.ts';
import { prove } from './live/proof.ts';
import { livenessNow } from './live/tell.ts';

/**
 * What is true of a change now, asked of Git, Argo CD, the rollout and TensorFlow Serving, without touching the change or
 * the cluster: no refresh is asked for, nothing is written. A change that was proven live answers `live` while all of it
 * still holds, else what has become of it: `superseded`, `drifted`, `degraded`, `progressing` (a pod restarts), `unknown`.
 * There is no hysteresis: it has been live already. A change that was never merged is `unknown`.
 *
 * Costs about five git commands, two reads of the Kubernetes API, and two HTTP calls for each pod (50 at most). Throws
 * `cluster.unavailable` and `git.unavailable`.
 *
 * For `GET /v1/changes/:id/liveness`: `liveness(await changes.find(id), context)` with the StepContext as the context, and
 * `{liveness: Liveness}` as the answer.
 */
export async function liveness(stored: StoredChange, context: LookContext): Promise<Liveness> {
  const now = context.clock.now();
  const answer = (state: Liveness['state'], reason: string) => told(livenessNow(stored, { state, reason }, now));
  const { change, facts } = stored;
  if (facts.mergeCommit === undefined) return answer('unknown', 'It was never merged.');
  if (change.kind === 'retrain') return ofTraining(stored, context, answer);
  if (change.kind === 'retire') return ofRetirement(stored, context, answer);
  const proof = await prove(stored, context, 0);
  return proof.live ? answer('live', proof.reason) : answer(proof.objection.state, proof.objection.reason);
}

const told = ({ state, reason, at }: Liveness): Liveness => ({ state, reason, at });

type Answer = (state: Liveness['state'], reason: string) => Liveness;

/** What was retired is to be gone; an environment that was taken up again later is not the retirement's any more. */
async function ofRetirement({ change }: StoredChange, { cluster }: LookContext, answer: Answer): Promise<Liveness> {
  const { application: name } = targetOf(change);
  if ((await cluster.application(name, 'now')) !== undefined)
    return answer('progressing', `There is an Argo CD Application ${name}.`);
  const left = await cluster.deployment(environmentName(change.model, change.environment), change.model);
  return left === undefined
    ? answer('live', 'Application and Deployment are gone.')
    : answer('progressing', `Deployment ${change.model} is still there.`);
}

/** A training is over when its Job is; what Argo CD says matters only before. */
async function ofTraining(stored: StoredChange, context: LookContext, answer: Answer): Promise<Liveness> {
  if (stored.change.phase === 'live') return answer('live', stored.change.reason ?? 'The training Job has finished.');
  const { objection } = await lookAtSync(stored, context);
  if (objection !== undefined) return answer(objection.state, objection.reason);
  return answer('progressing', 'The training Job runs.');
}

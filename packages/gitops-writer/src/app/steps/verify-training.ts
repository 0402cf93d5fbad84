import { failed, FairwayError, succeeded } from '@fairway/core';
import type { StoredChange } from '../../change.ts';
import type { Pod } from '../../ports.ts';
import { retrainJob, retrainNamespace } from '../../render/paths.ts';
import { retrainFinishedNotice } from '../notices.ts';
import { livenessNow, tell } from '../live/tell.ts';
import { tellDone } from '../proposal/done.ts';
import { type Step, type StepContext } from '../step.ts';

/** The trainer's exit code for "the candidate did not beat the champion" (docs/contracts.md). */
const GATE_REFUSED = 10;

/** The Job is named after the change, so its word is proof enough. */
export const verifyTraining: Step = {
  name: 'verify-training',
  async run(stored, context) {
    const { change } = stored;
    const job = await context.cluster.job(retrainNamespace(change.model), retrainJob(change.id));
    if (job?.state === 'succeeded') {
      const reason = 'training job finished, candidate registered';
      const said = await tellDone(stored, context, { kind: 'done', reason });
      const liveness = livenessNow(stored, { state: 'live', reason }, context.clock.now());
      return succeeded({ phase: 'live', reason, facts: { ...said, liveness }, notice: retrainFinishedNotice(stored) });
    }
    if (job?.state === 'failed')
      return failed(new FairwayError('sync.failed', await whyFailed(stored, context, job.reason)));
    const reason = job === undefined ? 'The training Job is not there yet.' : 'The training Job runs.';
    return tell(stored, context, undefined, { state: 'progressing', reason });
  },
};

async function whyFailed(
  { change }: StoredChange,
  { cluster }: StepContext,
  reason: string | undefined,
): Promise<string> {
  const pods = await cluster.pods(retrainNamespace(change.model), { 'job-name': retrainJob(change.id) });
  if (pods.some(hasRefused)) return 'the gate refused the candidate';
  return `The training Job failed: ${reason ?? 'no reason given'}`;
}

const hasRefused = ({ exitCodes }: Pod): boolean => exitCodes.includes(GATE_REFUSED);

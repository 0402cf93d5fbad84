import { succeeded } from '@fairway/core';
import { prove } from '../live/proof.ts';
import { livenessNow, tell } from '../live/tell.ts';
import { liveNotice } from '../notices.ts';
import { tellDone } from '../proposal/done.ts';
import type { Step } from '../step.ts';

/** Proof outside Argo CD: the stamped Deployment has rolled out and every ready pod serves the approved version. */
export const verify: Step = {
  name: 'verify',
  async run(stored, context) {
    const proof = await prove(stored, context, context.live.hysteresisMs);
    if (!proof.live) return tell(stored, context, proof.application, proof.objection, proof.sight);
    const { reason } = proof;
    const said = await tellDone(stored, context, { kind: 'live', reason });
    const liveness = livenessNow(stored, { state: 'live', reason }, context.clock.now());
    // A change that found its bytes on the branch already has nothing new to tell.
    const told = stored.change.pullRequest === undefined ? {} : { notice: liveNotice(stored) };
    return succeeded({ phase: 'live', reason, facts: { ...said, liveness }, ...told });
  },
};

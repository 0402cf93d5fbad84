import { succeeded } from '@fairway/core';
import { lookAtSync } from '../live/look.ts';
import { tell } from '../live/tell.ts';
import type { Step } from '../step.ts';

/** Waits until Argo CD has applied a revision that contains the merged commit. */
export const awaitSync: Step = {
  name: 'await-sync',
  async run(stored, context) {
    const { application, objection } = await lookAtSync(stored, context);
    if (objection !== undefined) return tell(stored, context, application, objection);
    return succeeded({ phase: 'verifying' });
  },
};

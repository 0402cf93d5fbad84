import type { StepResult } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import { rolledBackNotice } from '../notices.ts';
import type { Step } from '../step.ts';
import { awaitMerge } from './await-merge.ts';
import { verify } from './verify.ts';

/** What the steps of a deployment mean for a rollback: its Deployment carries the stamp of the change that it restores. */
const restoring = (step: Step, more: (transition: Transition, stored: StoredChange) => Transition): Step => ({
  ...step,
  async run(stored, context): Promise<StepResult<Transition>> {
    const result = await step.run(stored, context);
    return result.status === 'succeeded' ? { ...result, output: more(result.output, stored) } : result;
  },
});

export const awaitRestore = restoring(awaitMerge, (transition, { evidence }) =>
  transition.phase === 'merged' && evidence.kind === 'rollback'
    ? { ...transition, facts: { ...transition.facts, stamp: evidence.restores.change } }
    : transition,
);

/** Proven live, the rollback takes the place of what it restores, and the bad change is rolled back. */
export const verifyRestored = restoring(verify, (transition, stored) => {
  const { change, evidence } = stored;
  if (transition.phase !== 'live' || evidence.kind !== 'rollback') return transition;
  const reason = `Change ${change.id} went back to version ${change.version}: ${evidence.request.reason}`;
  return {
    ...transition,
    notice: rolledBackNotice(stored),
    ends: [{ id: evidence.bad.change, phase: 'rolled-back', reason }],
  };
});

import { failed, FairwayError, succeeded } from '@fairway/core';
import type { Step } from '../step.ts';

/**
 * The approval is only a hint: the registry is read again (which checks signature against variables), and what it
 * holds must be what was approved.
 */
export const validate: Step = {
  name: 'validate',
  async run({ change, evidence }, { source }) {
    const { modelVersion } = await source.load(change.model, change.version);
    const same = evidence.kind === 'deploy' && modelVersion.digest === evidence.digest;
    return same ? succeeded({ phase: 'validated' }) : failed(modelChanged(change, modelVersion.digest));
  },
};

export function modelChanged(change: { model: string; version: string; digest?: string }, now: string): FairwayError {
  return new FairwayError(
    'model.changed',
    `${change.model} ${change.version} has changed in the registry since it was approved (${change.digest ?? 'unknown'} then, ${now} now); register the new bytes as a new version and approve that.`,
  );
}

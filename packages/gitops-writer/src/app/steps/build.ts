import { failed, FairwayError, type StepResult, succeeded } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import { FRESH_MS, placeOf } from '../catalogue.ts';
import type { Step, StepContext } from '../step.ts';

/**
 * The approval was read at the door, which checked the signature against the variables. Now the model is copied, the copy
 * must be the approved bytes (validated), and the image is packed from that copy: no later write to the registry can slip in.
 */
export const build: Step = {
  name: 'build',
  run: (stored, context) => context.builds(() => built(stored, context)),
};

async function built(stored: StoredChange, context: StepContext): Promise<StepResult<Transition>> {
  const { change, evidence } = stored;
  const { changes, source, images, repository } = context;
  const { model, version } = change;
  const { file } = await placeOf(repository, await repository.head(FRESH_MS), change);
  const copy = await source.copy({ model, source: file.source }, version);
  try {
    const { digest, folder } = copy;
    if (evidence.kind === 'deploy' && digest !== evidence.digest) return failed(modelChanged(change, digest));
    const loaded = await changes.loaded(model, version, digest);
    if (loaded === undefined) return failed(modelChanged(change, digest));
    const approval = await firstApproval(stored, context);
    const image = await images.build({ modelVersion: loaded.modelVersion, folder, approval });
    return succeeded({ phase: 'built', through: ['validated'], image });
  } finally {
    await copy.dispose();
  }
}

/**
 * Event id of the approval that a person gave. A promotion goes back to it, so that the image which was tried in one environment
 * is, digest for digest, the one that the next gets.
 */
async function firstApproval(
  { change, evidence }: StoredChange,
  { changes }: Pick<StepContext, 'changes'>,
): Promise<string> {
  if (evidence.kind !== 'deploy') return change.id;
  const before = evidence.promotes === undefined ? undefined : await changes.find(evidence.promotes);
  return before?.evidence.kind === 'deploy' ? firstApproval(before, { changes }) : evidence.approval.eventId;
}

function modelChanged(change: { model: string; version: string; digest?: string }, now: string): FairwayError {
  return new FairwayError(
    'model.changed',
    `${change.model} ${change.version} has changed in the registry since it was approved (${change.digest ?? 'unknown'} then, ${now} now); register the new bytes as a new version and approve that.`,
  );
}

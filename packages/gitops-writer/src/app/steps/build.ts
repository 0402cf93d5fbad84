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

async function built(
  { change, evidence }: StoredChange,
  { changes, source, images, repository }: StepContext,
): Promise<StepResult<Transition>> {
  const { model, version } = change;
  const { file } = await placeOf(repository, await repository.head(FRESH_MS), change);
  const copy = await source.copy({ model, source: file.source }, version);
  try {
    const { digest, folder } = copy;
    if (evidence.kind === 'deploy' && digest !== evidence.digest) return failed(modelChanged(change, digest));
    const loaded = await changes.loaded(model, version, digest);
    if (loaded === undefined) return failed(modelChanged(change, digest));
    // Not this change's own: approved again, or for another environment, the same bytes must be the same image, digest for digest.
    const approval = await changes.firstApproval(model, version, digest);
    const image = await images.build({
      modelVersion: loaded.modelVersion,
      folder,
      ...(approval === undefined ? {} : { approval }),
    });
    return succeeded({ phase: 'built', through: ['validated'], image });
  } finally {
    await copy.dispose();
  }
}

function modelChanged(change: { model: string; version: string; digest?: string }, now: string): FairwayError {
  return new FairwayError(
    'model.changed',
    `${change.model} ${change.version} has changed in the registry since it was approved (${change.digest ?? 'unknown'} then, ${now} now); register the new bytes as a new version and approve that.`,
  );
}

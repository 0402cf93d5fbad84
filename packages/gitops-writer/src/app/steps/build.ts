import { asFairwayError, FairwayError, type StepResult, succeeded } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import { FRESH_MS, placeOf } from '../catalogue.ts';
import { servingOf } from '../../render/model-file.ts';
import type { Step, StepContext } from '../step.ts';

/**
 * The approval was read at the door, which checked the signature against the variables. Now the image is packed, and what was packed
 * must be the approved bytes (validated): no later write to the registry can slip in.
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
  const { file, environment } = await placeOf(repository, await repository.head(FRESH_MS), change);
  const loaded = evidence.kind === 'deploy' ? await changes.loaded(model, version, evidence.digest) : undefined;
  if (loaded === undefined)
    throw new FairwayError(
      'unknown',
      `Change ${change.id} was to be built before its version was read; please report this.`,
    );
  const { modelVersion } = loaded;
  // Not this change's own: approved again, or for another environment, the same bytes must be the same image, digest for digest.
  const approval = await changes.firstApproval(model, version, modelVersion.digest);
  const { gpu } = servingOf(file, environment.name);
  const files = await source.files({ model, source: file.source }, version);
  try {
    const image = await images.build({
      modelVersion,
      folder: files.folder,
      ...(gpu === undefined ? {} : { base: gpu.image }),
      ...(approval === undefined ? {} : { approval }),
    });
    return succeeded({ phase: 'built', through: ['validated'], image });
  } catch (error) {
    const { code, detail } = asFairwayError(error);
    throw code === 'model.changed' ? modelChanged(change, detail['digest']) : error;
  } finally {
    await files.dispose();
  }
}

function modelChanged(change: { model: string; version: string; digest?: string }, now: unknown): FairwayError {
  return new FairwayError(
    'model.changed',
    `${change.model} ${change.version} has changed in the registry since it was approved (${change.digest ?? 'unknown'} then, ${typeof now === 'string' ? now : 'other bytes'} now); register the new bytes as a new version and approve that.`,
  );
}

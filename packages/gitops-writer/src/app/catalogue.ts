import { asFairwayError, type Environment, FairwayError } from '@fairway/core';
import type { Repository } from '../ports.ts';
import { environmentOf, type ModelFile, parseModelFile } from '../render/model-file.ts';
import { modelPath } from '../render/paths.ts';

/** Names of the models in the GitOps repository at a commit. */
export async function modelNames(repository: Repository, commit: string): Promise<string[]> {
  return (await repository.folders(commit, 'models')).sort();
}

/** `model.yaml` of a model at a commit. Throws `model.unknown` with the known models, or `model.invalid`. */
export async function readModelFile(repository: Repository, commit: string, model: string): Promise<ModelFile> {
  const file = await repository.read(commit, modelPath(model));
  if (file !== undefined) return parseModelFile(model, file.text);
  const known = await modelNames(repository, commit);
  throw new FairwayError(
    'model.unknown',
    `Model ${JSON.stringify(model)} is not in the GitOps repository; ${known.length === 0 ? 'there is none yet, add models/<model>/model.yaml' : `it knows: ${known.join(', ')}`}.`,
  );
}

export type Place = { readonly file: ModelFile; readonly environment: Environment };

/**
 * Model file and environment of a change that is under way. What is wrong with them now, people can mend on the default
 * branch: the error is retryable, and the change waits instead of failing.
 */
export async function placeOf(
  repository: Repository,
  commit: string,
  change: { readonly model: string; readonly environment: string },
): Promise<Place> {
  try {
    const file = await readModelFile(repository, commit, change.model);
    return { file, environment: environmentOf(file, change.environment) };
  } catch (error) {
    const { code, message } = asFairwayError(error);
    throw new FairwayError(code, message, { disposition: 'retryable', cause: error });
  }
}

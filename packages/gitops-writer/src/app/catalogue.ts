import { asFairwayError, FairwayError } from '@fairway/core';
import type { Repository } from '../ports.ts';
import { type Chain, readChain } from '../render/chain.ts';
import { environmentOf, type ModelEnvironment, type ModelFile, parseModelFile } from '../render/model-file.ts';
import { environmentFolder, modelPath } from '../render/paths.ts';

/** Names of the models in the GitOps repository at a commit. */
export async function modelNames(repository: Repository, commit: string): Promise<string[]> {
  return (await repository.folders(commit, 'models')).sort();
}

/** `model.yaml` of a model at a commit. Throws `model.unknown` with the known models, or `model.invalid`. */
export async function readModelFile(repository: Repository, commit: string, model: string): Promise<ModelFile> {
  const file = await repository.read(commit, modelPath(model));
  if (file !== undefined) return parsed(repository, model, file);
  const known = await modelNames(repository, commit);
  throw new FairwayError(
    'model.unknown',
    `Model ${JSON.stringify(model)} is not in the GitOps repository; ${known.length === 0 ? 'there is none yet, add models/<model>/model.yaml' : `it knows: ${known.join(', ')}`}.`,
  );
}

type Parsed = { readonly files: Map<string, ModelFile>; readonly share: Share };

/** The same blob says the same; parsing it takes 0.4 ms, five times for each change. */
const PARSED = new WeakMap<Repository, Parsed>();
/** As many as looks at all models go through, with some that have changed since; 2 MB at 5,000. */
const MOST_PARSED = 8_000;

function parsed(repository: Repository, model: string, { text, blob }: { text: string; blob: string }): ModelFile {
  const { files, share } = PARSED.get(repository) ?? { files: new Map<string, ModelFile>(), share: sharing() };
  PARSED.set(repository, { files, share });
  const key = `${model} ${blob}`;
  const file = files.get(key) ?? compact(parseModelFile(model, text), share);
  files.delete(key);
  files.set(key, file);
  if (files.size > MOST_PARSED) files.delete(files.keys().next().value ?? '');
  return file;
}

type Share = <T>(part: T) => T;

/** Most models are served as most others are: of parts that say the same, one is kept. */
function sharing(): Share {
  const parts = new Map<string, unknown>();
  return <T>(part: T): T => {
    const key = JSON.stringify(part);
    if (parts.size >= MOST_PARSED) parts.clear();
    if (!parts.has(key)) parts.set(key, part);
    return parts.get(key) as T;
  };
}

const compact = (file: ModelFile, share: Share): ModelFile => ({
  ...file,
  owner: share(file.owner),
  source: share(file.source),
  capture: share(file.capture),
  rollback: share(file.rollback),
  serving: Object.fromEntries(Object.entries(file.serving).map(([name, settings]) => [name, share(settings)])),
});

export type Place = { readonly file: ModelFile; readonly environment: ModelEnvironment };

/** A state of the default branch this young is young enough to answer a request. */
export const FRESH_MS = 1_000;

/**
 * Model file and environment for a request at the door, with the commit they were read at. What is refused is refused by
 * the newest state: somebody may have added it a moment ago.
 */
export async function placeNow(
  repository: Repository,
  subject: { readonly model: string; readonly environment: string },
): Promise<Place & { readonly head: string }> {
  const at = async (head: string) => {
    const file = await readModelFile(repository, head, subject.model);
    return { head, file, environment: environmentOf(file, subject.environment) };
  };
  try {
    return await at(await repository.head(FRESH_MS));
  } catch {
    return at(await repository.head(0));
  }
}

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

/** The chain of what a commit has in an environment; undefined when nothing of ours is there. */
export async function chainAt(
  repository: Repository,
  commit: string,
  { model, environment }: { readonly model: string; readonly environment: string },
): Promise<Chain | undefined> {
  const file = await repository.read(commit, `${environmentFolder(model, environment)}/version.yaml`);
  return file === undefined ? undefined : readChain(file.text);
}

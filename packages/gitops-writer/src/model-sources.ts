import { FairwayError } from '@fairway/core';
import type { WriterEnv } from './config.ts';
import type { ModelSource, RegistryKind } from './ports.ts';
import { directorySource } from './sources/directory/source.ts';
import { type Registries, registries } from './sources/registries.ts';

export type ModelSources = { readonly source: ModelSource; readonly connected: readonly RegistryKind[] };

/** The registries that are set. Downloads and private copies go below `scratch`. Throws `config.invalid` when there is none. */
export function openSources(env: WriterEnv, scratch: string): ModelSources {
  const { MODEL_DIRECTORY: directory } = env;
  const known: Registries = directory === undefined ? {} : { directory: directorySource(directory, scratch) };
  const connected = Object.keys(known) as RegistryKind[];
  if (connected.length > 0) return { source: registries(known), connected };
  throw new FairwayError(
    'config.invalid',
    'This writer has no model registry: set MODEL_DIRECTORY, SAS_URL or MLFLOW_URL, one or several of them.',
  );
}

import { FairwayError } from '@fairway/core';
import type { ModelReference, ModelSource } from '../ports.ts';

type Kind = ModelReference['source']['registry'];
/** The registries that this writer is connected to, by kind. */
export type Registries = Readonly<Partial<Record<Kind, ModelSource>>>;

/** Setting that connects a registry of each kind. */
const SETTING: Readonly<Record<Kind, string>> = {
  directory: 'MODEL_DIRECTORY',
  sas: 'SAS_URL',
  mlflow: 'MLFLOW_URL',
};

/** Asks the registry that `source` of model.yaml names. Throws `config.invalid` where this writer is not connected to it. */
export function registries(known: Registries): ModelSource {
  const of = ({ model, source: { registry } }: ModelReference): ModelSource => {
    const found = known[registry];
    if (found !== undefined) return found;
    throw new FairwayError(
      'config.invalid',
      `Model ${model} comes from ${registry} (source in its model.yaml), and this writer has no such registry: set ${SETTING[registry]}, or correct the file.`,
    );
  };
  return {
    load: async (model, version) => of(model).load(model, version),
    files: async (model, version) => of(model).files(model, version),
    versions: async (model) => of(model).versions(model),
    champion: async (model) => of(model).champion(model),
    examine: async (model) => of(model).examine(model),
    watch: (changed) => {
      const watches = Object.values(known).flatMap((source) => source.watch?.(changed) ?? []);
      return { stop: () => watches.forEach((watch) => watch.stop()) };
    },
  };
}

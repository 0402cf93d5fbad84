import type { Logger } from '@fairway/core';
import type { History, Repository } from '../ports.ts';
import type { ModelFile } from '../render/model-file.ts';
import { modelPath } from '../render/paths.ts';
import { readModelFile } from './catalogue.ts';

/** Model files that are read again only when a later commit has touched them; for looks at all models. */
export type KnownModels = {
  /** undefined where there is none that is usable. */
  at(commit: string, model: string): Promise<ModelFile | undefined>;
};

export function knownModels(repository: Repository, history: History, log: Logger): KnownModels {
  const files = new Map<string, ModelFile | undefined>();
  let seen: string | undefined;
  const forget = async (commit: string) => {
    if (seen === commit) return;
    const touched = seen === undefined ? undefined : await history.edits(seen, commit).catch(() => undefined);
    if (touched === undefined) files.clear();
    else for (const model of files.keys()) if (touched.paths.includes(modelPath(model))) files.delete(model);
    seen = commit;
  };
  return {
    at: async (commit, model) => {
      await forget(commit);
      if (!files.has(model)) {
        const file = await readModelFile(repository, commit, model).catch((error: Error) => {
          log.warn({ model, reason: error.message }, 'a model is left out');
          return undefined;
        });
        files.set(model, file);
      }
      return files.get(model);
    },
  };
}

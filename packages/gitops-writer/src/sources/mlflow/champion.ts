import type { MlflowRegistry } from './registry.ts';
import type { MlflowVersion } from './shapes.ts';

/** Stages of servers that know no aliases, in their own spelling. */
const STAGES: Readonly<Record<string, string>> = {
  champion: 'Production',
  production: 'Production',
  staging: 'Staging',
};

/** `by: 'stage'`: the server is older than aliases, and its stage stands for the alias. */
export type ChampionVersion =
  | { readonly by: 'alias'; readonly version: MlflowVersion | undefined }
  | { readonly by: 'stage'; readonly stage: string; readonly version: MlflowVersion | undefined }
  | { readonly by: 'nothing' };

/** The version that an alias names; on servers before MLflow 2.3 the newest one of the stage that means the same. */
export async function championVersion(registry: MlflowRegistry, name: string, alias: string): Promise<ChampionVersion> {
  const found = await registry.byAlias(name, alias);
  if ('version' in found) return { by: 'alias', version: found.version };
  if (found.none === 'alias') return { by: 'alias', version: undefined };
  const stage = STAGES[alias.toLowerCase()];
  return stage === undefined ? { by: 'nothing' } : { by: 'stage', stage, version: await registry.byStage(name, stage) };
}

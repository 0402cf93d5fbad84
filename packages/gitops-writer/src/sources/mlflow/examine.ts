import { asFairwayError } from '@fairway/core';
import { compareWithRegistration } from '@fairway/savedmodel';
import { ARTIFACT_LIMITS } from './artifacts/paths.ts';
import { type ChampionVersion, championVersion } from './champion.ts';
import { fetchFiles } from './download.ts';
import { BESIDE, wantedFiles } from './layout.ts';
import { registrationIn } from './load.ts';
import { signatureIn } from './registration.ts';
import { layoutOf, readyVersion, type VersionContext, withVersion } from './version.ts';

/** What is missing before a registered model can travel. Of its SavedModel only the graph is fetched. */
export async function examineModel(
  context: VersionContext,
  model: string,
  name: string,
  alias: string,
): Promise<string[]> {
  try {
    const champion = await championVersion(context.registry, name, alias);
    const found = 'version' in champion ? champion.version?.version : undefined;
    const version = found ?? (await newest(context, name));
    if (version === undefined) return [`Registered model ${name} has no version that is READY; register one.`];
    return [...aliasProblems(champion, name, alias), ...(await versionProblems(context, model, name, version))];
  } catch (error) {
    return [asFairwayError(error).message];
  }
}

async function newest({ registry }: VersionContext, name: string): Promise<string | undefined> {
  const all = await registry.versions(name);
  const ready = all.filter(({ status }) => status === 'READY').map(({ version }) => Number(version));
  return ready.length === 0 ? undefined : String(Math.max(...ready));
}

function aliasProblems(champion: ChampionVersion, name: string, alias: string): string[] {
  switch (champion.by) {
    case 'alias': {
      if (champion.version !== undefined) return [];
      return [`No version of ${name} has the alias ${alias}; give it to the one that is to be deployed.`];
    }
    case 'stage': {
      const has =
        champion.version === undefined ? `no version of ${name} has` : `version ${champion.version.version} has`;
      return [
        `The server is older than MLflow 2.3 and knows no aliases: stage ${champion.stage}, which ${has}, stands for alias ${alias}; upgrade it to decide by alias.`,
      ];
    }
    default:
      return [
        'The server is older than MLflow 2.3 and knows no aliases; set alias in source of model.yaml to champion (stage Production) or staging, or upgrade it.',
      ];
  }
}

async function versionProblems(
  context: VersionContext,
  model: string,
  name: string,
  version: string,
): Promise<string[]> {
  const ready = await readyVersion(context, name, version);
  return withVersion(context, ready, async (opened) => {
    const { folder, parsed } = layoutOf(opened);
    const wanted = wantedFiles(opened.artifacts, folder).filter(
      ({ to }) => to === 'saved_model.pb' || BESIDE.some((file) => file === to),
    );
    const fetched = await fetchFiles(opened.store, wanted, context.scratch, context.limits ?? ARTIFACT_LIMITS);
    try {
      const gathered = await registrationIn(context, model, opened, parsed, fetched.folder);
      const signature = await signatureIn(fetched.folder);
      const unlike = signature === undefined ? [] : compareWithRegistration(signature, gathered.expected);
      const problems = [...gathered.problems, ...unlike.map(({ sentence }) => sentence)];
      return [...new Set(problems)].map((problem) => `Version ${version} of ${name}: ${problem}.`);
    } finally {
      await fetched.dispose();
    }
  });
}

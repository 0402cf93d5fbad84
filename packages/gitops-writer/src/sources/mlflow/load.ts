import { FairwayError } from '@fairway/core';
import { compareWithRegistration, inspectSavedModel, loadModelVersion } from '@fairway/savedmodel';
import type { LoadedVersion } from '../../ports.ts';
import { ARTIFACT_LIMITS } from './artifacts/paths.ts';
import { fetchFiles } from './download.ts';
import { wantedFiles } from './layout.ts';
import type { MlModel } from './mlmodel.ts';
import { type Gathered, gatherRegistration } from './registration.ts';
import { tagsOf } from './registry.ts';
import { layoutOf, type OpenVersion, type VersionContext } from './version.ts';

/** Fetches a version whole and holds it against what MLflow tells about it. Throws `model.invalid` with every reason. */
export async function loadVersion(context: VersionContext, model: string, opened: OpenVersion): Promise<LoadedVersion> {
  const { folder: at, parsed } = layoutOf(opened);
  const wanted = wantedFiles(opened.artifacts, at);
  const fetched = await fetchFiles(opened.store, wanted, context.scratch, context.limits ?? ARTIFACT_LIMITS);
  try {
    const gathered = await registrationIn(context, model, opened, parsed, fetched.folder);
    return await fitting(model, opened, gathered, fetched.folder);
  } finally {
    await fetched.dispose();
  }
}

async function fitting(
  model: string,
  { of, version }: OpenVersion,
  gathered: Gathered,
  folder: string,
): Promise<LoadedVersion> {
  const { registration, expected, problems } = gathered;
  if (registration === undefined) {
    const report = await inspectSavedModel(folder);
    const mismatches = compareWithRegistration(report, expected).map(({ sentence }) => sentence);
    throw unfit(of, [...report.problems, ...mismatches, ...problems]);
  }
  const { name, version: number } = version;
  const id = { model, version: number, origin: `mlflow:${name}/${number}`, label: `${name} v${number}`, registration };
  try {
    const loaded = await loadModelVersion(folder, id);
    if (problems.length > 0) throw unfit(of, problems);
    return loaded;
  } catch (error) {
    const found =
      error instanceof FairwayError && error.code === 'model.invalid' ? error.detail['problems'] : undefined;
    throw Array.isArray(found) ? unfit(of, [...(found as string[]), ...problems]) : error;
  }
}

/** What MLflow tells about the SavedModel in a folder. */
export async function registrationIn(
  { registry }: VersionContext,
  model: string,
  { version }: OpenVersion,
  mlmodel: MlModel | undefined,
  folder: string,
): Promise<Gathered> {
  return gatherRegistration({
    model,
    version: version.version,
    folder,
    mlmodel,
    versionTags: tagsOf(version.tags),
    modelTags: await registry.modelTags(version.name),
  });
}

const NAMED = 10;

function unfit(of: string, all: readonly string[]): FairwayError {
  const problems = [...new Set(all)];
  const more = problems.length > NAMED ? `; and ${problems.length - NAMED} more` : '';
  return new FairwayError(
    'model.invalid',
    `${of} in MLflow cannot be served as it is registered: ${problems.slice(0, NAMED).join('; ')}${more}.`,
    { detail: { problems } },
  );
}

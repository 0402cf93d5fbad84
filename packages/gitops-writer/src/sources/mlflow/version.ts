import { checkVersion, FairwayError } from '@fairway/core';
import { ARTIFACT_LIMITS, type ArtifactLimits, checkListing } from './artifacts/paths.ts';
import type { Artifact, ArtifactStore } from './artifacts/store.ts';
import { fetchText } from './download.ts';
import { savedModelFolder } from './layout.ts';
import { type Locations, openLocation } from './location.ts';
import { type MlModel, readMlModel } from './mlmodel.ts';
import type { MlflowVersion } from './shapes.ts';

export type VersionContext = Locations & { readonly scratch: string; readonly limits?: ArtifactLimits };

/** A version of a registered model, and what its artifacts are. */
export type OpenVersion = {
  /** As sentences name it. */
  readonly of: string;
  readonly version: MlflowVersion;
  readonly store: ArtifactStore;
  readonly artifacts: readonly Artifact[];
  /** The text of MLmodel; undefined when it was registered without one. */
  readonly mlmodel: string | undefined;
};

const MLMODEL_BYTES = 2 ** 20;

/** Throws `model.unknown` as the registry does, `registry.unavailable` while MLflow still registers it, `model.invalid` when that failed. */
export async function readyVersion({ registry }: Locations, name: string, version: string): Promise<MlflowVersion> {
  checkVersion(version);
  return ready(await registry.version(name, version));
}

/** The same version, when it is READY. */
export function ready(found: MlflowVersion): MlflowVersion {
  const { name, version } = found;
  if (found.status === 'READY') return found;
  const why = found.status_message === undefined ? '' : ` (${found.status_message.slice(0, 200)})`;
  if (found.status === 'PENDING_REGISTRATION') {
    throw new FairwayError(
      'registry.unavailable',
      `Version ${version} of ${name} is still being registered in MLflow, PENDING_REGISTRATION${why}; try again when it is READY.`,
    );
  }
  throw new FairwayError(
    'model.invalid',
    `Version ${version} of ${name} is ${found.status} in MLflow${why}, and only READY ones can travel; register the model again.`,
  );
}

/** Looks at the artifacts of a version while `use` works; listing and names are checked before. */
export async function withVersion<T>(
  context: VersionContext,
  version: MlflowVersion,
  use: (opened: OpenVersion) => Promise<T>,
): Promise<T> {
  const of = `${version.name} version ${version.version}`;
  const uri = await context.registry.downloadUri(version.name, version.version);
  const store = await openLocation(context, uri, of);
  try {
    const artifacts = await store.list();
    checkListing(artifacts, of, context.limits ?? ARTIFACT_LIMITS);
    const file = artifacts.find(({ path }) => path === 'MLmodel');
    const mlmodel = file === undefined ? undefined : await fetchText(store, file, MLMODEL_BYTES);
    return await use({ of, version, store, artifacts, mlmodel });
  } finally {
    store.close();
  }
}

/** Where the SavedModel is, and what MLmodel says. */
export function layoutOf({ of, artifacts, mlmodel }: OpenVersion): {
  readonly folder: string;
  readonly parsed: MlModel | undefined;
} {
  const parsed = mlmodel === undefined ? undefined : readMlModel(mlmodel, of);
  return { folder: savedModelFolder(artifacts, parsed, of), parsed };
}

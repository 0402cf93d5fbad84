import { canonicalJson, type ModelVersion } from '@fairway/core';
import { z } from 'zod';
import { type Chain, readChain } from './chain.ts';
import { deployment } from './deployment.ts';
import { readModelVersion } from './model-version.ts';
import { environmentFolder } from './paths.ts';
import { settingsOf, type Workload } from './workload.ts';

/** The version before, as the change that brought it whole had it. */
export type Stable = { readonly change: string; readonly image: string; readonly modelVersion: ModelVersion };

/** A new version beside the one before, with a part of the requests, in percent. */
export type Canary = { readonly stable: Stable; readonly weight: number };

export const STABLE_FILE = 'stable.json';
/** Deployment and pods of the version before. */
export const stableName = (model: string): string => `${model}-stable`;
/** Service of the new one; the model's own leads to the version before as long. */
export const canaryService = (model: string): string => `${model}-canary`;

/** Applied, and healthy, before anything leads there. */
const FIRST = { 'argocd.argoproj.io/sync-wave': '-1' };

/** The Deployment that goes on with the version before. */
export function stableDeployment(workload: Workload, { change, image, modelVersion }: Stable): object {
  const before = { ...workload, change, image, modelVersion };
  const made = deployment(before, stableName(modelVersion.model)) as { metadata: object };
  return { ...made, metadata: { ...made.metadata, annotations: FIRST } };
}

export const stableText = ({ change, image, modelVersion }: Stable): string =>
  `${canonicalJson({ change, image, modelVersion }, 2)}\n`;

/** Reads a file of the environment's folder as it is on the default branch. */
export type ReadFile = (path: string) => Promise<string | undefined>;

/**
 * The version that goes on beside a new one. None where model.yaml knows no canary, at the first deployment, and when the
 * version was approved again while it was the canary: the second approval gives it all requests.
 */
export async function canaryOf(workload: Workload, read: ReadFile): Promise<Canary | undefined> {
  const { canary } = settingsOf(workload);
  if (canary === undefined) return undefined;
  const { modelVersion, environment, change } = workload;
  const folder = environmentFolder(modelVersion.model, environment.name);
  const chain = readChain((await read(`${folder}/version.yaml`)) ?? '');
  if (chain === undefined) return undefined;
  const kept = readStable((await read(`${folder}/${STABLE_FILE}`)) ?? '');
  const stable = kept ?? (await wholeOf(chain, `${folder}/modelversion.json`, read));
  if (stable === undefined || isSame(stable.modelVersion, modelVersion)) return undefined;
  // Its own merge is no second approval of it.
  if (isSame(chain, modelVersion) && chain.change !== change) return undefined;
  return { stable, weight: canary.weight };
}

type Bytes = { readonly version: string; readonly digest: string };
const isSame = (one: Bytes, other: Bytes): boolean => one.version === other.version && one.digest === other.digest;

async function wholeOf({ change, image }: Chain, path: string, read: ReadFile): Promise<Stable | undefined> {
  const modelVersion = readModelVersion((await read(path)) ?? '');
  return modelVersion === undefined ? undefined : { change, image, modelVersion };
}

const schema = z.strictObject({ change: z.string(), image: z.string(), modelVersion: z.unknown() });

function readStable(text: string): Stable | undefined {
  try {
    const { success, data } = schema.safeParse(JSON.parse(text));
    if (!success) return undefined;
    const modelVersion = readModelVersion(JSON.stringify(data.modelVersion));
    return modelVersion === undefined ? undefined : { change: data.change, image: data.image, modelVersion };
  } catch {
    return undefined;
  }
}

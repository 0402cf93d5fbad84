import { FairwayError } from '@fairway/core';
import type { SasServer } from './client.ts';
import { hasDigits, modelDigits, versionNumber } from './identity.ts';
import { frozenVersions, modelsOf } from './projects.ts';
import { instant, type SasModel, type SasProject } from './wire.ts';

/** One version of one model of the project. */
export type SasVersion = {
  /** As TF Serving and Fairway count. */
  readonly number: string;
  /** `<model name> <version name>`. */
  readonly label: string;
  readonly name: string;
  readonly modelId: string;
  /** As SAS has it of this version: the model itself, or what it was when it was frozen. */
  readonly model: SasModel;
  /** Id of a frozen version, whose contents are read instead of the model's. */
  readonly frozen?: string;
  /** When it began, ms. */
  readonly at: number | undefined;
};

/** Every version of every model of the project that has a number, oldest first. */
export async function versionsOf(server: SasServer, project: SasProject): Promise<SasVersion[]> {
  const found: SasVersion[] = [];
  for (const model of await modelsOf(server, project)) found.push(...(await versionsOfModel(server, model)));
  return unambiguous(found).sort((a, b) => (a.at ?? 0) - (b.at ?? 0) || Number(a.number) - Number(b.number));
}

/** The version that has this number. Throws `model.unknown` with those that there are. */
export async function resolveVersion(server: SasServer, project: SasProject, number: string): Promise<SasVersion> {
  const digits = modelDigits(number);
  const models = await modelsOf(server, project);
  const candidates = models.filter(({ id }) => digits !== undefined && hasDigits(id, digits));
  const found: SasVersion[] = [];
  for (const model of candidates) found.push(...(await versionsOfModel(server, model)));
  const version = unambiguous(found).find((one) => one.number === number);
  if (version !== undefined) return version;
  const known = (await versionsOf(server, project)).map(({ number: one, label }) => `${one} (${label})`);
  const what = known.length === 0 ? 'it has none with a version name such as 2.1' : `it has: ${known.join(', ')}`;
  throw new FairwayError('model.unknown', `Version ${number} is none of project ${project.name} in SAS; ${what}.`);
}

/**
 * A frozen version bears the time of its freezing, and the model the time of its first version: each version began when the one
 * before it was frozen. One that has the name of the model's own is the same version, and the model has its newest bytes.
 */
async function versionsOfModel(server: SasServer, model: SasModel): Promise<SasVersion[]> {
  const frozen = await frozenVersions(server, model);
  const versions = frozen
    .filter(({ modelVersionName: name }) => name !== model.modelVersionName)
    .flatMap((one) => versionOf(model.id, one, one.id) ?? [])
    .sort((a, b) => Number(a.number) - Number(b.number));
  const current = versionOf(model.id, model);
  const began = [model, ...versions.map((one) => one.model)].map((one) => instant(one.creationTimeStamp));
  return [...versions, ...(current === undefined ? [] : [current])].map((version, n) => ({ ...version, at: began[n] }));
}

/** Undefined for a version whose name is no number such as 2.1. */
export function versionOf(modelId: string, model: SasModel, frozen?: string): SasVersion | undefined {
  const name = model.modelVersionName ?? '';
  const number = versionNumber(modelId, name);
  if (number === undefined) return undefined;
  const label = `${model.name} ${name}`;
  return { number, label, name, modelId, model, at: undefined, ...(frozen === undefined ? {} : { frozen }) };
}

/** Six digits for a model are not many: two versions that would get one number are refused rather than mixed up. */
function unambiguous(versions: readonly SasVersion[]): SasVersion[] {
  const byNumber = new Map<string, SasVersion>();
  for (const version of versions) {
    const { number, label, modelId } = version;
    const other = byNumber.get(number);
    if (other !== undefined) {
      throw new FairwayError(
        'model.invalid',
        `${other.label} (model ${other.modelId}) and ${label} (model ${modelId}) would both be version ${number}; make a new version of one of them in SAS, and remove the other.`,
      );
    }
    byNumber.set(number, version);
  }
  return [...byNumber.values()];
}

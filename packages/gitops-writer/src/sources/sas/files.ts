import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, FairwayError } from '@fairway/core';
import type { SasProject, SasVariable } from './wire.ts';
import type { SasVersion } from './versions.ts';

/** Most bytes of a file beside the SavedModel. */
export const SIDE_FILE_LIMIT = 64 * 2 ** 20;

type Json = Readonly<Record<string, unknown>>;

/**
 * Puts a content that is a file of its own beside the SavedModel. Where the archive has one of this name too, both must say the
 * same: which of them the approver has looked at, nobody knows.
 */
export async function addSideFile(folder: string, name: string, file: string, label: string): Promise<void> {
  const [own, packed] = [await readFile(file), await readIfThere(join(folder, name))];
  if (packed === undefined) return writeFile(join(folder, name), own);
  if (sameContent(own, packed)) return;
  throw new FairwayError(
    'model.invalid',
    `${label} has ${name} twice in SAS, as a content and inside the archive, and they differ; remove the wrong one, and approve again.`,
  );
}

/** JSON is compared by what it says: SAS writes it anew when it takes it out of an archive. */
function sameContent(a: Buffer, b: Buffer): boolean {
  if (a.equals(b)) return true;
  try {
    return canonicalJson(JSON.parse(a.toString('utf8'))) === canonicalJson(JSON.parse(b.toString('utf8')));
  } catch {
    return false;
  }
}

/**
 * Fills what the files beside the SavedModel leave open with what SAS has in fields: of the model first, then of the project.
 * They are written as SAS writes them, so that one reader takes both.
 */
export async function completeRegistration(
  folder: string,
  model: string,
  project: SasProject,
  version: SasVersion,
): Promise<void> {
  await completeProperties(folder, project, version);
  await completeVariables(folder, 'inputVar.json', 'input', version.model.inputVariables, project.variables);
  await completeVariables(folder, 'outputVar.json', 'output', version.model.outputVariables, project.variables);
  await ownBaseline(folder, model, version);
}

async function completeProperties(folder: string, project: SasProject, { model }: SasVersion): Promise<void> {
  const file = join(folder, 'ModelProperties.json');
  const given = await jsonIn(file, 'ModelProperties.json');
  const head = given === undefined ? {} : object(given);
  if (head === undefined) return;
  const known: Json = {
    name: model.name,
    function: model.function ?? project.function,
    targetVariable: filled(model.targetVariable) ?? project.targetVariable,
    targetLevel: filled(model.targetLevel) ?? project.targetLevel,
    targetEvent: filled(model.targetEvent) ?? project.targetEventValue,
    eventProbVar: filled(model.eventProbVar) ?? project.eventProbabilityVariable,
    predictionVariable: project.predictionVariable,
    algorithm: model.algorithm,
    tool: model.tool,
    properties: model.properties.map(({ name, value, type }) => ({ name, value, type: type ?? 'string' })),
  };
  const open = Object.entries(known).filter(([name, value]) => filled(value) !== undefined && isOpen(head[name]));
  if (open.length > 0) await writeFile(file, JSON.stringify({ ...head, ...Object.fromEntries(open) }));
}

async function completeVariables(
  folder: string,
  name: string,
  role: 'input' | 'output',
  ofModel: readonly SasVariable[],
  ofProject: readonly SasVariable[],
): Promise<void> {
  if ((await readIfThere(join(folder, name))) !== undefined) return;
  const known = ofModel.length > 0 ? ofModel : ofProject.filter((one) => one.role?.toLowerCase() === role);
  if (known.length === 0) return;
  const rows = known.map(({ name: variable, type, level, length }) => ({
    name: variable,
    type: type?.toLowerCase(),
    role,
    ...(filled(level) === undefined ? {} : { level: level?.toLowerCase() }),
    ...(typeof length === 'number' ? { length } : {}),
  }));
  await writeFile(join(folder, name), JSON.stringify(rows));
}

/**
 * Whoever makes a baseline knows model and version by SAS's names for them, not by ours; they may also be left out. One that
 * names another version was left behind when the model got a new one.
 */
async function ownBaseline(folder: string, ours: string, { number, name, label, model }: SasVersion): Promise<void> {
  const file = join(folder, 'baseline.json');
  const given = await jsonIn(file, 'baseline.json');
  const baseline = given === undefined ? undefined : object(given);
  if (baseline === undefined) return;
  const { version } = baseline;
  if (version !== undefined && version !== name && version !== number) {
    throw new FairwayError(
      'model.invalid',
      `baseline.json of ${label} in SAS is that of version ${JSON.stringify(version)}; add the baseline of version ${name} to the model.`,
    );
  }
  const isOfModel = isOpen(baseline['model']) || baseline['model'] === model.name;
  await writeFile(file, JSON.stringify({ ...baseline, version: number, ...(isOfModel ? { model: ours } : {}) }));
}

async function jsonIn(file: string, name: string): Promise<unknown> {
  const bytes = await readIfThere(file);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    throw new FairwayError(
      'model.invalid',
      `${name} in SAS is no JSON (${(error as Error).message}); add a correct one.`,
    );
  }
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const object = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

/** SAS writes the empty text where it has nothing. */
const filled = <T>(value: T): T | undefined =>
  value === null || value === undefined || value === '' ? undefined : value;
const isOpen = (value: unknown): boolean => filled(value) === undefined || (Array.isArray(value) && value.length === 0);

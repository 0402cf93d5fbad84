import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError, type Signature, type Variable } from '@fairway/core';
import {
  compareWithRegistration,
  type Expected,
  expectedOfMlflow,
  expectedOfVariables,
  findRegistration,
  inspectSavedModel,
  signatureOf,
  type Registration,
  variablesOf,
} from '@fairway/savedmodel';
import { BESIDE } from './layout.ts';
import type { MlModel } from './mlmodel.ts';
import type { Tags } from './registry.ts';
import { targetSaid } from './target.ts';

/** What a version of MLflow tells about itself, beside its bytes. `folder` holds saved_model.pb and the files about it. */
export type Told = {
  readonly model: string;
  readonly version: string;
  readonly folder: string;
  readonly mlmodel: MlModel | undefined;
  readonly versionTags: Tags;
  readonly modelTags: Tags;
};

export type Gathered = {
  /** Undefined as long as something is missing that nobody may guess. */
  readonly registration: Registration | undefined;
  readonly expected: Expected;
  /** Without what the signature of the SavedModel is compared for. */
  readonly problems: readonly string[];
};

/**
 * MLflow knows signatures, but no target (target.ts) and no baseline. Of tensors the files that SAS Model Manager would have
 * (docs/contracts.md) tell first, then the signature in MLmodel, then the SavedModel itself. Nothing is guessed.
 */
export async function gatherRegistration(told: Told): Promise<Gathered> {
  const { folder, model, version } = told;
  await ownBaseline(told);
  const found = await findRegistration(folder, { model, version });
  const signature = await signatureIn(folder);
  const problems = (await faultsOf(folder, found.faults)).map(({ file, what }) => `${file} ${what}`);
  const said = signatureSaid(told.mlmodel, problems);
  const { target, problems: unknown } = targetSaid({
    properties: (await jsonIn(folder, 'ModelProperties.json')) ?? {},
    versionTags: told.versionTags,
    modelTags: told.modelTags,
    baseline: found.baseline,
    nominal: found.target?.classification,
    outputs: signature?.outputs ?? [],
  });
  problems.push(...unknown);
  const { expected, variables } = tensorsOf(found, said, signature);
  if (said !== undefined && signature !== undefined && (found.inputs ?? found.outputs) !== undefined) {
    // The files are what is compared; what MLflow says besides must be true all the same.
    problems.push(...compareWithRegistration(signature, said).map(({ sentence }) => sentence));
  }
  const { metrics, change, baseline } = found;
  const registration =
    target === undefined || baseline === undefined
      ? undefined
      : { variables, target, metrics, baseline, expected, ...(change === undefined ? {} : { change }) };
  return { registration, expected: target === undefined ? expected : { ...expected, target }, problems };
}

/** Undefined when there is none that Fairway carries; why, is told when the SavedModel is inspected. */
export async function signatureIn(folder: string): Promise<Signature | undefined> {
  try {
    return signatureOf(await inspectSavedModel(folder));
  } catch (error) {
    if (error instanceof FairwayError && error.code === 'model.invalid') return undefined;
    throw error;
  }
}

/** Files that need not be there are no fault, nor is a target that a tag may tell. */
async function faultsOf<T extends { file: string; what: string }>(folder: string, faults: readonly T[]): Promise<T[]> {
  const absent = new Set<string>();
  for (const file of BESIDE) if ((await textIn(folder, file)) === undefined) absent.add(file);
  return faults.filter(
    ({ file, what }) =>
      file === 'baseline.json' ||
      (!absent.has(file) && !/^has no (targetVariable|targetEvent|eventProbVar|predictionVariable)$/.test(what)),
  );
}

function signatureSaid(mlmodel: MlModel | undefined, problems: string[]): Expected | undefined {
  try {
    return mlmodel?.signature === undefined ? undefined : expectedOfMlflow(mlmodel.signature);
  } catch (error) {
    if (!(error instanceof FairwayError)) throw error;
    problems.push(error.message.replace(/\.$/, ''));
    return undefined;
  }
}

type Files = { readonly inputs?: readonly Variable[]; readonly outputs?: readonly Variable[] };

/** Each side from where it is said. */
function tensorsOf(files: Files, said: Expected | undefined, signature: Signature | undefined) {
  const own = expectedOfVariables([...(files.inputs ?? []), ...(files.outputs ?? [])]);
  const named = said === undefined ? undefined : withNames(said, signature);
  const real = signature === undefined ? undefined : expectedOfVariables(variablesIn(signature));
  const pick = (side: 'inputs' | 'outputs') =>
    files[side] !== undefined ? own : named?.[side] !== undefined ? named : real;
  const [inputs, outputs] = [pick('inputs'), pick('outputs')];
  const expected: Expected = {
    from: { input: inputs?.from.input ?? own.from.input, output: outputs?.from.output ?? own.from.output },
    ...(inputs?.inputs === undefined ? {} : { inputs: inputs.inputs }),
    ...(outputs?.outputs === undefined ? {} : { outputs: outputs.outputs }),
  };
  const variables = variablesOf(expected);
  const of = (side: 'inputs' | 'outputs', role: Variable['role']) =>
    files[side] ?? variables.filter((one) => one.role === role);
  return { expected, variables: [...of('inputs', 'input'), ...of('outputs', 'output')] };
}

/** The only tensor has the name that the SavedModel gives it. */
function withNames(said: Expected, signature: Signature | undefined): Expected {
  const named = (side: 'inputs' | 'outputs') => {
    const [only, second] = said[side] ?? [];
    const [tensor, other] = signature?.[side] ?? [];
    const isOne = only !== undefined && second === undefined && tensor !== undefined && other === undefined;
    return isOne && only.name === undefined ? { [side]: [{ ...only, name: tensor.name }] } : {};
  };
  return { ...said, ...named('inputs'), ...named('outputs') };
}

const variablesIn = ({ inputs, outputs }: Signature): Variable[] => [
  ...inputs.map(
    ({ name, dtype }) => ({ name, role: 'input', type: dtype === 'DT_STRING' ? 'string' : 'decimal' }) as const,
  ),
  ...outputs.map(
    ({ name, dtype }) => ({ name, role: 'output', type: dtype === 'DT_STRING' ? 'string' : 'decimal' }) as const,
  ),
];

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function textIn(folder: string, file: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** An object; what is none is left for the reader of registrations to refuse. */
async function jsonIn(folder: string, file: string): Promise<Json | undefined> {
  try {
    const value: unknown = JSON.parse((await textIn(folder, file)) ?? 'null');
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A version has no number yet when its files are logged, so that a baseline cannot know which it belongs to. */
async function ownBaseline({ folder, model, version }: Told): Promise<void> {
  const baseline = await jsonIn(folder, 'baseline.json');
  if (baseline !== undefined)
    await writeFile(join(folder, 'baseline.json'), JSON.stringify({ ...baseline, model, version }));
}

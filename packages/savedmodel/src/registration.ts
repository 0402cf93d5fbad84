import type { Baseline, ModelVersion, Signature, TensorSpec, Variable } from '@fairway/core';
import { FairwayError } from '@fairway/core';
import { compareWithRegistration } from './compare.ts';
import { DEFAULT_SIGNATURE } from './default-signature.ts';
import { type Expected, expectedOfVariables } from './expected.ts';
import { loadGolden } from './golden.ts';
import { inspectSavedModel, servingGraph } from './inspect/inspect.ts';
import type { SavedModelReport, TensorReport } from './inspect/report.ts';
import { carriedDType } from './tensor.ts';
import { type Fault, findBaseline, findRegistration, type Found, type Registration } from './properties.ts';

/**
 * What is wrong between a signature and the registered variables, in words: tensors that are missing, not registered,
 * or of the wrong type or shape. Empty = they agree.
 */
export const checkSignature = (signature: Signature, variables: readonly Variable[]): string[] =>
  compareWithRegistration(signature, expectedOfVariables(variables)).map(({ sentence }) => sentence);

/**
 * Which version of the registry a folder is. `label`: as people there call it. `registration`: what its source has found out by
 * itself; without it ModelProperties.json, inputVar.json and outputVar.json are read, and baseline.json where it has none.
 */
export type VersionId = {
  readonly model: string;
  readonly version: string;
  readonly origin?: string | undefined;
  readonly label?: string | undefined;
  readonly registration?: (Omit<Registration, 'baseline'> & { readonly baseline?: Baseline | undefined }) | undefined;
};

/**
 * Reads a version folder of the registry whole: SavedModel, its digest, what is registered about it, and golden cases.
 * Throws `model.invalid` when it cannot be served or does not fit: one sentence, with every reason in `detail.problems`.
 */
export async function loadModelVersion(
  dir: string,
  id: VersionId,
): Promise<{ readonly modelVersion: ModelVersion; readonly baseline: Baseline; readonly golden?: string }> {
  const { model, version, label, origin = `directory:${id.model}/${id.version}` } = id;
  const { report, problems } = await inspected(dir);
  const found = await registered(dir, id);
  problems.push(...found.faults.map(({ file, what }) => `${file} ${what}`));
  if (report !== undefined && hasSignature(report))
    problems.push(...compareWithRegistration(report, expectedOf(id, found)).map(({ sentence }) => sentence));
  const signature = report === undefined ? undefined : signatureOf(report);
  const { golden, problems: unfit } = signature === undefined ? { problems: [] } : await loadGolden(dir, signature);
  problems.push(...unfit);
  const { inputs = [], outputs = [], target, metrics, baseline } = found;
  if (
    report === undefined ||
    signature === undefined ||
    target === undefined ||
    baseline === undefined ||
    problems.length > 0
  )
    throw unfitVersion(id, problems);
  const { digest, bytes } = report;
  const variables = [...inputs, ...outputs];
  const modelVersion = { model, version, digest, bytes, signature, variables, target, metrics, origin };
  return {
    modelVersion: label === undefined ? modelVersion : { ...modelVersion, label },
    baseline,
    ...(golden === undefined ? {} : { golden }),
  };
}

/** What is in the folder; when it is no SavedModel at all, that is one problem among the others. */
async function inspected(dir: string): Promise<{ report?: SavedModelReport; problems: string[] }> {
  try {
    const report = await inspectSavedModel(dir);
    return { report, problems: [...report.problems] };
  } catch (error) {
    if (!(error instanceof FairwayError) || error.code !== 'model.invalid') throw error;
    // The folder is a copy of the source's own, and gone when somebody reads the sentence.
    const clause = error.message
      .replaceAll(` in ${dir}`, '')
      .replace(/\.$/, '')
      .replace(/^There is/, 'there is');
    return { problems: [clause] };
  }
}

async function registered(dir: string, id: VersionId): Promise<Found> {
  const { registration } = id;
  if (registration === undefined) return findRegistration(dir, id);
  const { variables, target, metrics, change } = registration;
  const read = registration.baseline === undefined ? await findBaseline(dir, id) : { baseline: registration.baseline };
  const faults: readonly Fault[] = 'faults' in read ? read.faults : [];
  return {
    inputs: variables.filter(({ role }) => role === 'input'),
    outputs: variables.filter(({ role }) => role === 'output'),
    target,
    metrics,
    ...(change === undefined ? {} : { change }),
    ...(read.baseline === undefined ? {} : { baseline: read.baseline }),
    faults,
  };
}

/** A file that could not be read says nothing about its side of the signature. */
function expectedOf({ registration }: VersionId, { inputs, outputs, target }: Found): Expected {
  const own = registration?.expected ?? expectedOfVariables([...(inputs ?? []), ...(outputs ?? [])]);
  const { from } = own;
  return {
    from,
    ...(own.inputs === undefined || inputs === undefined ? {} : { inputs: own.inputs }),
    ...(own.outputs === undefined || outputs === undefined ? {} : { outputs: own.outputs }),
    ...(target === undefined ? {} : { target }),
  };
}

const defaultSignature = (report: SavedModelReport) =>
  servingGraph(report)?.signatures.find(({ name }) => name === DEFAULT_SIGNATURE);

const hasSignature = (report: SavedModelReport): boolean => defaultSignature(report) !== undefined;

/** The signature as a ModelVersion has it; undefined when it has tensors that Fairway does not carry, which is told as a problem. */
export function signatureOf(report: SavedModelReport): Signature | undefined {
  const found = defaultSignature(report);
  const [inputs, outputs] = [found?.inputs.map(specOf), found?.outputs.map(specOf)];
  if (found === undefined || !inputs?.every(isSpec) || !outputs?.every(isSpec)) return undefined;
  return { name: found.name, method: found.method, inputs, outputs };
}

const specOf = ({ name, dtype, shape }: TensorReport): TensorSpec | undefined =>
  carriedDType(dtype) && shape !== null ? { name, dtype, shape } : undefined;

const isSpec = (spec: TensorSpec | undefined): spec is TensorSpec => spec !== undefined;

const NAMED = 10;

function unfitVersion({ model, version }: VersionId, problems: readonly string[]): FairwayError {
  const more = problems.length > NAMED ? `; and ${problems.length - NAMED} more` : '';
  return new FairwayError(
    'model.invalid',
    `Version ${version} of ${model} cannot be served as it is registered: ${problems.slice(0, NAMED).join('; ')}${more}.`,
    { detail: { problems } },
  );
}

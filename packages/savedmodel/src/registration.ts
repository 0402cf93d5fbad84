import type { Baseline, ModelVersion, Signature, TensorSpec, Variable } from '@fairway/core';
import { FairwayError } from '@fairway/core';
import { digestTree, savedModelMembers } from './digest.ts';
import { loadGolden } from './golden.ts';
import { readRegistration } from './properties.ts';
import { DEFAULT_SIGNATURE, readSavedModel } from './read.ts';

/**
 * What is wrong between a signature and the registered variables, in words: tensors that are missing, not registered,
 * or of the wrong type. Empty = they agree.
 */
export function checkSignature(signature: Signature, variables: readonly Variable[]): string[] {
  return [
    ...compare(
      'input',
      signature.inputs,
      variables.filter(({ role }) => role === 'input'),
    ),
    ...compare(
      'output',
      signature.outputs,
      variables.filter(({ role }) => role === 'output'),
    ),
  ];
}

function compare(role: Variable['role'], tensors: readonly TensorSpec[], variables: readonly Variable[]): string[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const registered = new Set(variables.map(({ name }) => name));
  const missing = variables.flatMap(({ name, type }) => {
    const tensor = byName.get(name);
    if (tensor === undefined) return [`${role} ${name} is registered but not in the signature`];
    const carried = tensor.dtype === 'DT_STRING' ? 'string' : 'decimal';
    return carried === type ? [] : [`${role} ${name} is registered as ${type} but is ${tensor.dtype} in the signature`];
  });
  const extra = tensors.filter(({ name }) => !registered.has(name));
  return [...missing, ...extra.map(({ name }) => `${role} ${name} is in the signature but not registered`)];
}

/**
 * Reads a version folder of the registry whole: SavedModel, its digest, and what is registered about it.
 * Throws `model.invalid` as {@link readSavedModel} and {@link readRegistration} do, or when the two disagree.
 */
export async function loadModelVersion(
  dir: string,
  id: { readonly model: string; readonly version: string; readonly origin?: string },
): Promise<{ readonly modelVersion: ModelVersion; readonly baseline: Baseline; readonly golden?: string }> {
  const { model, version, origin = `directory:${id.model}/${id.version}` } = id;
  const savedModel = await readSavedModel(dir);
  const { variables, target, metrics, baseline } = await readRegistration(dir, id);
  const signature = savedModel.signatures.find(({ name }) => name === DEFAULT_SIGNATURE) as Signature;
  const problems = checkSignature(signature, variables);
  if (!signature.outputs.some(({ name }) => name === target.probability)) {
    problems.push(`eventProbVar ${target.probability} of ModelProperties.json is no output of the signature`);
  }
  const { golden, problems: unfit } = await loadGolden(dir, signature);
  problems.push(...unfit);
  if (problems.length > 0) {
    throw new FairwayError(
      'model.invalid',
      `The SavedModel of ${model} version ${version} does not fit what is registered: ${problems.join('; ')}.`,
      { detail: { problems } },
    );
  }
  const digest = await digestTree(dir);
  const bytes = (await savedModelMembers(dir)).reduce((sum, { size }) => sum + size, 0);
  const modelVersion = { model, version, digest, bytes, signature, variables, target, metrics, origin };
  return { modelVersion, baseline, ...(golden === undefined ? {} : { golden }) };
}

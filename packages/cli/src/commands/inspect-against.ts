import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FairwayError } from '@fairway/core';
import { type Expected, expectedOfMlflow, expectedOfVariables, findRegistration } from '@fairway/savedmodel';

const SAS_FILES = ['inputVar.json', 'outputVar.json', 'ModelProperties.json'];
const MLMODEL = 'MLmodel';
const MAX_MLMODEL = 16 * 2 ** 20;

/** What a registry says of a model, and the files that say it. */
export type Registered = { readonly expected: Expected; readonly files: readonly string[] };

/**
 * Reads SAS Model Manager's files or MLflow's MLmodel from a folder, or one of them by its name.
 * Throws `input.invalid` when none is there, `model.invalid` when one is broken.
 */
export async function readExpected(path: string): Promise<Registered> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (found === undefined) throw nothing(path);
  if (found.isFile()) {
    const file = basename(path);
    return SAS_FILES.includes(file) ? readSas(dirname(path), [file]) : readMlflow(path);
  }
  const there = await Promise.all([...SAS_FILES, MLMODEL].map((file) => isFile(join(path, file))));
  const files = SAS_FILES.filter((_, i) => there[i]);
  if (files.length > 0) return readSas(path, files);
  if (there.at(-1) === true) return readMlflow(join(path, MLMODEL));
  throw nothing(path);
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

const nothing = (path: string): FairwayError =>
  new FairwayError(
    'input.invalid',
    `${path} tells nothing of a model; name a folder with ${SAS_FILES.join(', ')} or ${MLMODEL}, or one of these files.`,
  );

async function readSas(dir: string, files: readonly string[]): Promise<Registered> {
  const { inputs, outputs, target, faults } = await findRegistration(dir, { model: '', version: '' });
  const broken = faults.filter(({ file }) => files.includes(file));
  if (broken.length > 0)
    throw new FairwayError(
      'model.invalid',
      `${broken.map(({ file, what }) => `${file} in ${dir} ${what}`).join('; ')}.`,
    );
  const has = (file: string): boolean => files.includes(file);
  const { from, ...both } = expectedOfVariables([...(inputs ?? []), ...(outputs ?? [])]);
  return {
    files,
    expected: {
      from,
      ...(has('inputVar.json') ? { inputs: both.inputs ?? [] } : {}),
      ...(has('outputVar.json') ? { outputs: both.outputs ?? [] } : {}),
      ...(has('ModelProperties.json') && target !== undefined ? { target } : {}),
    },
  };
}

async function readMlflow(path: string): Promise<Registered> {
  if ((await stat(path)).size > MAX_MLMODEL) throw nothing(path);
  const text = await readFile(path, 'utf8');
  const { parse } = await import('yaml');
  let signature: unknown;
  try {
    signature = (parse(text) as { signature?: unknown } | null)?.signature;
  } catch (error) {
    throw new FairwayError('model.invalid', `${path} is no YAML (${(error as Error).message.split('\n')[0]}).`);
  }
  if (typeof signature !== 'object' || signature === null)
    throw new FairwayError(
      'model.invalid',
      `${path} has no signature; log the model again with mlflow.models.infer_signature.`,
    );
  return { expected: expectedOfMlflow(signature), files: [basename(path)] };
}

import { join } from 'node:path';
import { BYTES, eachField, FairwayError } from '@fairway/core';
import { digestTree, type Member, savedModelMembers } from '../digest.ts';
import { readFile } from '../files.ts';
import { readGraphs } from './graph.ts';
import { namesOf } from './names.ts';
import { problemsOf, remarksOf } from './problems.ts';
import type { Fingerprint, GraphReport, SavedModelReport } from './report.ts';
import { readVariables } from './variables.ts';
import { readWarmup } from './warmup.ts';

/** Weights do not stand in the graph of such a model; protobuf itself ends at 2 GiB. */
export const MAX_PB = 256 * 2 ** 20;
const MAX_SIDE_FILE = 16 * 2 ** 20;

/**
 * Looks into a SavedModel folder without TensorFlow and without executing anything of it. What cannot be served is told in
 * `problems`. Throws `model.invalid` when there is no saved_model.pb or it is no SavedModel at all, in bounded time and memory
 * whatever its bytes are.
 */
export async function inspectSavedModel(dir: string): Promise<SavedModelReport> {
  const files = await savedModelMembers(dir);
  const { schemaVersion, graphs } = await readPb(dir, files);
  const serving = servingOf(graphs);
  const fingerprint = await readFingerprint(dir, files);
  const keras = await readKeras(dir, files);
  const warmup = await readWarmup(dir, files);
  const report = {
    definition: 1 as const,
    digest: await digestTree(dir, files),
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    files: files.map(({ path, size }) => ({ path, bytes: size })),
    schemaVersion,
    graphs,
    ...(serving === undefined ? {} : { serving }),
    variables: await readVariables(dir, files),
    ...(warmup === undefined ? {} : { warmup }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(keras === undefined ? {} : { keras }),
  };
  return { ...report, problems: problemsOf(report), remarks: remarksOf(report) };
}

/** The graph that TensorFlow Serving loads; undefined when none is tagged so. */
export const servingGraph = ({
  graphs,
  serving,
}: Pick<SavedModelReport, 'graphs' | 'serving'>): GraphReport | undefined =>
  serving === undefined ? undefined : graphs[serving];

/** TensorFlow Serving asks for the tags `serve` and nothing else (cc/saved_model/reader.cc compares the sets). */
function servingOf(graphs: readonly GraphReport[]): number | undefined {
  const found = graphs.findIndex(({ tags }) => tags.length === 1 && tags[0] === 'serve');
  return found < 0 ? undefined : found;
}

async function readPb(
  dir: string,
  files: readonly Member[],
): Promise<{ schemaVersion: number; graphs: GraphReport[] }> {
  const size = files.find(({ path }) => path === 'saved_model.pb')?.size ?? 0;
  try {
    if (size > MAX_PB)
      throw new RangeError(`it has ${size} bytes, and ${MAX_PB} are allowed; keep weights in variables/`);
    const bytes = await readFile(join(dir, 'saved_model.pb'));
    const read = readGraphs(bytes, namesOf(bytes));
    if (read.graphs.length === 0) throw new RangeError('it has no graph');
    return read;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FairwayError(
      'model.invalid',
      `saved_model.pb is not a TensorFlow SavedModel (${error.message}); export the model again.`,
      { cause: error },
    );
  }
}

const sideFile = async (dir: string, files: readonly Member[], name: string): Promise<Buffer | undefined> => {
  const file = files.find(({ path }) => path === name);
  return file === undefined || file.size > MAX_SIDE_FILE ? undefined : readFile(join(dir, name));
};

/** FingerprintDef (tensorflow/core/protobuf/fingerprint.proto); what cannot be read is not told: nothing depends on it. */
async function readFingerprint(dir: string, files: readonly Member[]): Promise<Fingerprint | undefined> {
  const bytes = await sideFile(dir, files, 'fingerprint.pb');
  if (bytes === undefined) return undefined;
  const found: { uuid?: string } = {};
  try {
    eachField(bytes, 0, bytes.length, (id, wire, value, end) => {
      if (id === 7 && wire === BYTES) found.uuid = bytes.toString('utf8', value, Math.min(end, value + 64));
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return found;
}

/** Keras 2 writes its version into the JSON of its metadata. */
async function readKeras(dir: string, files: readonly Member[]): Promise<string | undefined> {
  const bytes = await sideFile(dir, files, 'keras_metadata.pb');
  return bytes === undefined ? undefined : /"keras_version": ?"([\w.+-]{1,40})"/.exec(bytes.toString('latin1'))?.[1];
}

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signature, TensorSpec } from '@fairway/core';
import { FairwayError } from '@fairway/core';
import { DEFAULT_SIGNATURE } from './default-signature.ts';
import { noSavedModel } from './digest.ts';
import { MAX_PB } from './inspect/inspect.ts';
import type { MetaGraphDef, NodeDef, SavedModelProto, SignatureDef, TensorInfo } from './proto.ts';
import { decodeSavedModel } from './proto.ts';
import type { Tensor } from './tensor.ts';
import { dtypeOf, shapeFromProto, tensorFromProto } from './tensor.ts';

/** Signature name → tensor names in the graph (`node:output`) by their names in the signature. */
type Bindings = Readonly<
  Record<
    string,
    { readonly inputs: Readonly<Record<string, string>>; readonly outputs: Readonly<Record<string, string>> }
  >
>;

/** The meta graph tagged `serve` of a SavedModel. */
export type SavedModel = {
  readonly tags: readonly string[];
  /** Sorted by name; `serving_default` is always among them, others only when Fairway carries all their tensors. */
  readonly signatures: readonly Signature[];
  readonly nodes: readonly NodeDef[];
  readonly bindings: Bindings;
};

/**
 * Reads `dir/saved_model.pb`. Throws `model.invalid` with a sentence when the file is missing or no SavedModel,
 * has no meta graph tagged `serve`, no `serving_default` signature, or a tensor type that Fairway does not carry.
 */
export async function readSavedModel(dir: string): Promise<SavedModel> {
  const graph = servingGraph(dir, parse(dir, await readPb(dir)));
  const definitions = Object.entries(graph.signatureDef)
    .filter(([name, definition]) => name === DEFAULT_SIGNATURE || carried(definition))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (!definitions.some(([name]) => name === DEFAULT_SIGNATURE)) throw noSignature(dir, definitions);
  return {
    tags: graph.metaInfoDef?.tags ?? [],
    signatures: definitions.map(([name, definition]) => signature(dir, name, definition)),
    nodes: graph.graphDef?.node ?? [],
    bindings: Object.fromEntries(
      definitions.map(([name, { inputs, outputs }]) => [name, { inputs: names(inputs), outputs: names(outputs) }]),
    ),
  };
}

/** The value of a Const node; undefined when there is no such node. */
export function constantOf(model: SavedModel, name: string): Tensor | undefined {
  const proto = model.nodes.find((node) => node.name === name && node.op === 'Const')?.attr['value']?.tensor;
  return proto === undefined ? undefined : tensorFromProto(proto, `Constant "${name}"`);
}

async function readPb(dir: string): Promise<Buffer> {
  try {
    const { size } = await stat(join(dir, 'saved_model.pb'));
    if (size > MAX_PB) throw notSavedModel(dir, new RangeError(`it has ${size} bytes, and ${MAX_PB} are allowed`));
    return await readFile(join(dir, 'saved_model.pb'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw noSavedModel(dir);
    throw error;
  }
}

function parse(dir: string, bytes: Buffer): SavedModelProto {
  try {
    return decodeSavedModel(bytes);
  } catch (error) {
    throw notSavedModel(dir, error as Error);
  }
}

const notSavedModel = (dir: string, cause: Error): FairwayError =>
  new FairwayError(
    'model.invalid',
    `saved_model.pb in ${dir} is not a TensorFlow SavedModel (${cause.message}); export the model again.`,
    { cause },
  );

function servingGraph(dir: string, model: SavedModelProto): MetaGraphDef {
  // TensorFlow Serving asks for `serve` and nothing else.
  const found = model.metaGraphs.find(({ metaInfoDef }) => metaInfoDef?.tags.join() === 'serve');
  if (found !== undefined) return found;
  const tags = model.metaGraphs.map((graph) => `[${graph.metaInfoDef?.tags.join(', ') ?? ''}]`).join(' ');
  throw new FairwayError(
    'model.invalid',
    `saved_model.pb in ${dir} has no graph tagged "serve" (tags: ${tags || 'none'}); export the model for serving.`,
  );
}

/** Signatures such as `__saved_model_init_op` have tensors without a type. */
const carried = ({ inputs, outputs }: SignatureDef): boolean =>
  [...Object.values(inputs), ...Object.values(outputs)].every(
    ({ dtype, tensorShape }) => dtypeOf(dtype) !== undefined && shapeFromProto(tensorShape) !== undefined,
  );

function noSignature(dir: string, definitions: ReadonlyArray<readonly [string, SignatureDef]>): FairwayError {
  const known = definitions.map(([name]) => name).join(', ') || 'none';
  return new FairwayError(
    'model.invalid',
    `saved_model.pb in ${dir} has no signature "${DEFAULT_SIGNATURE}" (signatures: ${known}); export the model with one.`,
  );
}

const signature = (dir: string, name: string, definition: SignatureDef): Signature => ({
  name,
  method: definition.methodName ?? '',
  inputs: specs(dir, name, definition.inputs),
  outputs: specs(dir, name, definition.outputs),
});

function specs(dir: string, signatureName: string, tensors: Readonly<Record<string, TensorInfo>>): TensorSpec[] {
  return Object.entries(tensors)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, info]) => {
      const dtype = dtypeOf(info.dtype);
      const shape = shapeFromProto(info.tensorShape);
      if (dtype !== undefined && shape !== undefined) return { name, dtype, shape };
      const what = dtype === undefined ? `has TensorFlow data type ${info.dtype ?? 0}` : 'has a shape of unknown rank';
      throw new FairwayError(
        'model.invalid',
        `Tensor "${name}" of signature "${signatureName}" in ${dir} ${what}, which Fairway cannot carry; export it as a float, integer, bool or string tensor.`,
      );
    });
}

const names = (tensors: Readonly<Record<string, TensorInfo>>): Record<string, string> =>
  Object.fromEntries(Object.entries(tensors).map(([name, info]) => [name, info.name ?? '']));

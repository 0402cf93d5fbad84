import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DType } from '@fairway/core';
import type { GraphDef, SignatureDef, TensorInfo } from './proto.ts';
import { encodeSavedModel } from './proto.ts';
import { dtypeCode, shapeToProto } from './tensor.ts';

/** A signature's tensor and the graph node whose first output it is. */
export type BoundTensor = { readonly node: string; readonly dtype: DType; readonly shape: readonly number[] };
export type BoundSignature = {
  readonly inputs: Readonly<Record<string, BoundTensor>>;
  readonly outputs: Readonly<Record<string, BoundTensor>>;
};

const METHOD = 'tensorflow/serving/predict';

/**
 * Writes `dir/saved_model.pb`: one meta graph tagged `serve`, weights as Const nodes, no variables folder
 * (TensorFlow's loader restores nothing when variables/variables.index does not exist; cc/saved_model/loader.cc).
 * Same graph and signatures → same bytes.
 */
export async function writeSavedModel(
  dir: string,
  graph: GraphDef,
  signatures: Readonly<Record<string, BoundSignature>>,
): Promise<void> {
  const bytes = encodeSavedModel({
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: ['serve'], tensorflowVersion: '2.11.0' },
        graphDef: graph,
        signatureDef: mapSorted(signatures, signatureDef),
      },
    ],
  });
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'saved_model.pb'), bytes);
}

const signatureDef = ({ inputs, outputs }: BoundSignature): SignatureDef => ({
  inputs: mapSorted(inputs, tensorInfo),
  outputs: mapSorted(outputs, tensorInfo),
  methodName: METHOD,
});

const tensorInfo = ({ node, dtype, shape }: BoundTensor): TensorInfo => ({
  name: `${node}:0`,
  dtype: dtypeCode(dtype),
  tensorShape: shapeToProto(shape),
});

function mapSorted<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  const entries = Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, value]) => [name, map(value)]));
}

import { createRequire } from 'node:module';
import type protobuf from 'protobufjs';
import { SCHEMA } from './schema.ts';

/** TensorShapeProto: no dimensions = scalar, unless `unknownRank`. Size -1 = not known before execution. */
export type ShapeProto = { dim: Array<{ size?: number }>; unknownRank?: boolean };

/** TensorProto: the values stand either in `tensorContent` (little endian) or in the list of their type. */
export type TensorProto = {
  dtype: number;
  tensorShape?: ShapeProto;
  tensorContent?: Uint8Array;
  floatVal?: number[];
  doubleVal?: number[];
  intVal?: number[];
  stringVal?: Uint8Array[];
  int64Val?: number[];
  boolVal?: boolean[];
};

/** AttrValue: exactly one field is set. */
export type AttrValue = {
  list?: { i?: number[] };
  s?: Uint8Array;
  i?: number;
  f?: number;
  b?: boolean;
  type?: number;
  shape?: ShapeProto;
  tensor?: TensorProto;
};

export type NodeDef = { name: string; op: string; input: string[]; attr: Record<string, AttrValue> };
export type GraphDef = { node: NodeDef[]; versions?: { producer?: number; minConsumer?: number } };
export type TensorInfo = { name?: string; dtype?: number; tensorShape?: ShapeProto };
export type SignatureDef = {
  inputs: Record<string, TensorInfo>;
  outputs: Record<string, TensorInfo>;
  methodName?: string;
};
export type MetaGraphDef = {
  metaInfoDef?: { tags: string[]; tensorflowVersion?: string };
  graphDef?: GraphDef;
  signatureDef: Record<string, SignatureDef>;
};
export type SavedModelProto = { savedModelSchemaVersion?: number; metaGraphs: MetaGraphDef[] };

/**
 * Compiled at the first use: 8 ms and 200 kB of code, too much for each model. Loading protobufjs takes 40 ms more, which whoever
 * only looks into a model (`fairway inspect`, the check at the door) does not pay.
 */
const message = (() => {
  let type: protobuf.Type | undefined;
  const load = () => createRequire(import.meta.url)('protobufjs') as typeof protobuf;
  return (): protobuf.Type => (type ??= load().parse(SCHEMA).root.lookupType('SavedModel'));
})();

/** Bytes of a SavedModel message. Maps are written in the order of their keys' insertion. */
export function encodeSavedModel(model: SavedModelProto): Uint8Array {
  const type = message();
  return type.encode(type.fromObject(model)).finish();
}

/** Parses a SavedModel message; throws protobufjs' errors on bytes that are none. 64-bit integers become numbers. */
export function decodeSavedModel(bytes: Uint8Array): SavedModelProto {
  const type = message();
  return type.toObject(type.decode(bytes), { longs: Number, arrays: true, objects: true }) as SavedModelProto;
}

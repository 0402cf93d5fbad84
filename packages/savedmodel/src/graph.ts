import type { DType } from '@fairway/core';
import type { AttrValue, GraphDef, NodeDef } from './proto.ts';
import type { Tensor } from './tensor.ts';
import { dtypeCode, shapeToProto, tensorToProto } from './tensor.ts';

/** Attribute values as TensorFlow's op registry types them. */
export const attr = {
  type: (dtype: DType): AttrValue => ({ type: dtypeCode(dtype) }),
  int: (value: number): AttrValue => ({ i: value }),
  bool: (value: boolean): AttrValue => ({ b: value }),
  text: (value: string): AttrValue => ({ s: Buffer.from(value) }),
  ints: (values: readonly number[]): AttrValue => ({ list: { i: [...values] } }),
} as const;

/** Adds nodes one after the other; every method answers the name of the node's first output. */
export type GraphBuilder = {
  placeholder(name: string, dtype: DType, shape: readonly number[]): string;
  constant(name: string, value: Tensor): string;
  /** `op`, the order of `inputs` and all `attrs` exactly as TensorFlow's op registry has them. */
  op(op: string, name: string, inputs: readonly string[], attrs: Readonly<Record<string, AttrValue>>): string;
  build(): GraphDef;
};

/** GraphDef version of TensorFlow 2.11: read by every TensorFlow Serving since, and by older ones (minConsumer 0). */
const PRODUCER = 1087;

/** A builder for one GraphDef. Throws on a node name that is taken or an input that does not exist yet. */
export function graphBuilder(): GraphBuilder {
  const nodes = new Map<string, NodeDef>();
  const add = (node: NodeDef): string => {
    if (nodes.has(node.name)) throw new RangeError(`node ${node.name} exists already`);
    const unknown = node.input.find((input) => !nodes.has(input));
    if (unknown !== undefined) throw new RangeError(`node ${node.name} reads ${unknown}, which does not exist yet`);
    nodes.set(node.name, node);
    return node.name;
  };
  return {
    placeholder: (name, dtype, shape) =>
      add({
        name,
        op: 'Placeholder',
        input: [],
        attr: { dtype: attr.type(dtype), shape: { shape: shapeToProto(shape) } },
      }),
    constant: (name, value) =>
      add({
        name,
        op: 'Const',
        input: [],
        attr: { dtype: attr.type(value.dtype), value: { tensor: tensorToProto(value) } },
      }),
    op: (op, name, inputs, attrs) => add({ name, op, input: [...inputs], attr: { ...attrs } }),
    build: () => ({ node: [...nodes.values()], versions: { producer: PRODUCER } }),
  };
}

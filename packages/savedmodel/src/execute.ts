import { FairwayError } from '@fairway/core';
import type { Kernel } from './kernels.ts';
import { KERNELS } from './kernels.ts';
import type { NodeDef } from './proto.ts';
import type { SavedModel } from './read.ts';
import type { Tensor } from './tensor.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

/** Runs a signature: tensors by input name → tensors by output name. Throws RangeError on shapes that do not fit. */
export type Executable = (inputs: Tensors) => Tensors;

type Step = { readonly node: NodeDef; readonly kernel: Kernel; readonly inputs: readonly string[] };

/**
 * Prepares a signature for execution: orders the nodes it needs and evaluates its constants once.
 * Throws `model.invalid` when the signature is unknown, or a node is missing, part of a loop, or of an op that
 * {@link KERNELS} does not have.
 */
export function executable(model: SavedModel, signatureName: string): Executable {
  const binding = model.bindings[signatureName];
  if (binding === undefined) throw invalid(`The model has no signature "${signatureName}"`);
  const outputs = Object.entries(binding.outputs).map(([name, tensor]) => [name, nodeOf(tensor)] as const);
  const feeds = new Map(Object.entries(binding.inputs).map(([name, tensor]) => [nodeOf(tensor), name]));
  const steps = plan(
    model.nodes,
    new Set(feeds.keys()),
    outputs.map(([, node]) => node),
  );
  const constants = new Map<string, Tensor>();
  for (const { node, kernel } of steps) if (node.op === 'Const') constants.set(node.name, kernel([], node.attr));
  const live = steps.filter(({ node }) => node.op !== 'Const');
  return (inputs) => {
    const values = new Map(constants);
    for (const [node, name] of feeds) {
      const tensor = inputs[name];
      if (tensor === undefined) throw new RangeError(`input "${name}" is missing`);
      values.set(node, tensor);
    }
    for (const { node, kernel, inputs: from } of live) {
      values.set(
        node.name,
        kernel(
          from.map((name) => values.get(name)),
          node.attr,
        ),
      );
    }
    return Object.fromEntries(outputs.map(([name, node]) => [name, values.get(node) as Tensor]));
  };
}

/** Nodes that lead to `wanted`, each after its inputs; fed nodes are left out. */
function plan(nodes: readonly NodeDef[], fed: ReadonlySet<string>, wanted: readonly string[]): Step[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const steps: Step[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string): void => {
    if (fed.has(name) || state.get(name) === 'done') return;
    if (state.get(name) === 'open') throw invalid(`The graph has a loop through node "${name}"`);
    state.set(name, 'open');
    const node = byName.get(name);
    if (node === undefined) throw invalid(`The graph has no node "${name}", which another node reads`);
    const kernel = KERNELS[node.op];
    if (kernel === undefined)
      throw invalid(`Node "${name}" needs the op ${node.op}, which Fairway's own executor does not have`);
    // `^node` is a control dependency: an order, not a value; nothing here has side effects.
    const inputs = node.input.filter((input) => !input.startsWith('^')).map(nodeOf);
    for (const input of inputs) visit(input);
    steps.push({ node, kernel, inputs });
    state.set(name, 'done');
  };
  for (const name of wanted) visit(name);
  return steps;
}

/** `node:0` → `node`. Every op here has one output. */
function nodeOf(tensor: string): string {
  const [node = '', output = '0'] = tensor.split(':');
  if (output !== '0') throw invalid(`Tensor "${tensor}" is a second output, which no op of Fairway's own executor has`);
  return node;
}

const invalid = (what: string): FairwayError =>
  new FairwayError(
    'model.invalid',
    `${what}; serve this model with TensorFlow Serving itself, or export it with simpler ops.`,
  );

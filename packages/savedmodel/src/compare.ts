import type { Signature } from '@fairway/core';
import { DEFAULT_SIGNATURE } from './default-signature.ts';
import type { Expected, ExpectedTensor } from './expected.ts';
import type { FeatureReport, SavedModelReport, TensorReport } from './inspect/report.ts';

/** `tensor`: its name. `sentence`: half a sentence that names both sides. */
export type Mismatch = {
  readonly problem: 'missing' | 'extra' | 'wrong type' | 'wrong shape';
  readonly role: 'input' | 'output';
  readonly tensor: string;
  readonly sentence: string;
};

/** One side of the comparison: what the model takes or gives. `perRow`: a feature of a tf.Example, whose shape is that of one row. */
type Actual = {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[] | null;
  readonly perRow: boolean;
};

/**
 * Holds the `serving_default` signature against what a registry says of it, and answers every difference; an empty list: they fit.
 * Where the signature takes serialized tf.Example messages and the graph tells their features, those are its inputs.
 */
export function compareWithRegistration(of: SavedModelReport | Signature, expected: Expected): Mismatch[] {
  const { inputs, outputs, where } = sides(of);
  return [
    ...compare('input', inputs, expected.inputs, expected.from.input, where),
    ...compare('output', outputs, expected.outputs, expected.from.output, 'the signature'),
    ...probability(outputs, expected),
  ];
}

function sides(of: SavedModelReport | Signature): { inputs: Actual[]; outputs: Actual[]; where: string } {
  const plain = ({ name, dtype, shape }: Pick<TensorReport, 'name' | 'dtype' | 'shape'>): Actual => ({
    name,
    dtype,
    shape,
    perRow: false,
  });
  if (!('graphs' in of))
    return { inputs: of.inputs.map(plain), outputs: of.outputs.map(plain), where: 'the signature' };
  const graph = of.serving === undefined ? undefined : of.graphs[of.serving];
  const signature = graph?.signatures.find(({ name }) => name === DEFAULT_SIGNATURE);
  if (graph === undefined || signature === undefined) return { inputs: [], outputs: [], where: 'the signature' };
  const examples = signature.takesExamples;
  return {
    inputs: examples ? graph.features.map(feature) : signature.inputs.map(plain),
    outputs: signature.outputs.map(plain),
    where: examples ? 'the tf.Example that the model parses' : 'the signature',
  };
}

/** A sparse or ragged feature takes one value as well as many. */
const feature = ({ name, kind, dtype, shape }: FeatureReport): Actual => ({
  name,
  dtype,
  shape: kind === 'dense' ? shape : null,
  perRow: true,
});

function compare(
  role: Mismatch['role'],
  actual: readonly Actual[],
  expected: readonly ExpectedTensor[] | undefined,
  from: string,
  where: string,
): Mismatch[] {
  if (expected === undefined) return [];
  const byName = new Map(actual.map((tensor) => [tensor.name, tensor]));
  const matched = new Set<string>();
  const found = expected.flatMap((tensor): Mismatch[] => {
    // A registry that names no tensor means the only one.
    const name = tensor.name ?? (expected.length === 1 && actual.length === 1 ? actual[0]?.name : undefined);
    const other = name === undefined ? undefined : byName.get(name);
    if (other !== undefined) {
      matched.add(other.name);
      return differences(role, tensor, other, from);
    }
    if (tensor.optional === true) return [];
    const label = name ?? 'without a name';
    return [
      { problem: 'missing', role, tensor: label, sentence: `${role} ${label} is in ${from} but not in ${where}` },
    ];
  });
  const extra = actual.filter(({ name }) => !matched.has(name));
  return [
    ...found,
    ...extra.map(
      ({ name }): Mismatch => ({
        problem: 'extra',
        role,
        tensor: name,
        sentence: `${role} ${name} is in ${where} but not in ${from}`,
      }),
    ),
  ];
}

function differences(role: Mismatch['role'], expected: ExpectedTensor, actual: Actual, from: string): Mismatch[] {
  const { name, dtype, shape } = actual;
  const found: Mismatch[] = [];
  if (expected.dtypes.length > 0 && !expected.dtypes.includes(dtype)) {
    const sentence = `${role} ${name} is ${expected.type} in ${from} but ${dtype} in the model`;
    found.push({ problem: 'wrong type', role, tensor: name, sentence });
  }
  if (shape !== null && !shapesFit(expected.shape, shape, actual.perRow)) {
    const wanted = expected.shape === undefined ? 'one value for each row' : shapeText(expected.shape);
    const sentence = `${role} ${name} is ${wanted} in ${from} but ${shapeText(shape)} in the model`;
    found.push({ problem: 'wrong shape', role, tensor: name, sentence });
  }
  return found;
}

/** Sizes that are not known fit every size. */
function shapesFit(expected: readonly number[] | undefined, shape: readonly number[], perRow: boolean): boolean {
  const rows = perRow ? [-1, ...shape] : shape;
  if (expected === undefined)
    return rows.length >= 1 && rows.length <= 2 && rows.slice(1).every((size) => size === 1 || size === -1);
  return (
    expected.length === rows.length && expected.every((size, i) => size === -1 || rows[i] === -1 || rows[i] === size)
  );
}

const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The monitor can judge nothing without the probability of the event, or the predicted number. */
function probability(outputs: readonly Actual[], { target }: Expected): Mismatch[] {
  if (target === undefined || outputs.some(({ name }) => name === target.probability)) return [];
  const property = target.level === 'interval' ? 'predictionVariable' : 'eventProbVar';
  const sentence = `${property} ${target.probability} is no output of the signature`;
  return [{ problem: 'missing', role: 'output', tensor: target.probability, sentence }];
}

import type { SavedModel } from '@fairway/savedmodel';
import { executable } from '@fairway/savedmodel';
import { expect, test } from 'vitest';
import type { Loan } from './columns.ts';
import { features, fitScaling, FLAGS, WIDTH } from './features.ts';
import { generateTraining } from './generate.ts';
import type { Dense } from './network.ts';
import { random } from './random.ts';
import { tensorsOf, toGraph, weightsOf } from './saved-model.ts';
import { bucketOf, isHeldOut } from './split.ts';

const loans = generateTraining(3).slice(0, 300);
const scaling = fitScaling(loans);
const stream = random(5);
const layer = (inputs: number, units: number): Dense => ({
  inputs,
  units,
  kernel: Float32Array.from({ length: inputs * units }, () => 0.3 * stream.normal()),
  bias: Float32Array.from({ length: units }, () => 0.1 * stream.normal()),
});
const weights = { scaling, layers: [layer(WIDTH, 4), layer(4, 1)] };

function model(): SavedModel {
  const { graph, signatures } = toGraph(weights);
  const ends = signatures['serving_default'];
  const names = (tensors: Record<string, { node: string }>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { node }]) => [name, `${node}:0`]));
  const bindings = { serving_default: { inputs: names({ ...ends?.inputs }), outputs: names({ ...ends?.outputs }) } };
  return { tags: ['serve'], signatures: [], nodes: graph.node, bindings };
}

/** The network in plain double arithmetic. */
function score(row: Float32Array): number {
  let values = Array.from(row);
  for (const [index, { units, kernel, bias }] of weights.layers.entries()) {
    values = Array.from({ length: units }, (_, j) => {
      const sum = values.reduce(
        (total, value, i) => total + value * (kernel[i * units + j] as number),
        bias[j] as number,
      );
      return index === 0 ? Math.max(sum, 0) : 1 / (1 + Math.exp(-sum));
    });
  }
  return values[0] as number;
}

test('the graph computes what features and weights say, missing cells included', () => {
  const outputs = executable(model(), 'serving_default')(tensorsOf(loans));
  const matrix = features(loans, scaling);
  for (const [i] of loans.entries()) {
    const expected = score(matrix.subarray(i * WIDTH, (i + 1) * WIDTH));
    expect(outputs['P_BAD1']?.values[i]).toBeCloseTo(expected, 6);
    expect(outputs['P_BAD0']?.values[i]).toBeCloseTo(1 - expected, 6);
    expect(outputs['I_BAD']?.values[i]).toBe(expected >= 0.5 ? 1 : 0);
  }
});

test('absurd, padded and unknown values get finite scores', () => {
  const odd: Loan[] = [
    { ...(loans[0] as Loan), LOAN: -5, VALUE: 1e30, DEBTINC: 0 },
    { ...(loans[0] as Loan), JOB: 'Astronaut', REASON: null },
  ];
  const scores = executable(model(), 'serving_default')(tensorsOf(odd))['P_BAD1']?.values ?? [];
  expect([...scores].every((value) => Number(value) > 0 && Number(value) < 1)).toBe(true);
  const padded = tensorsOf([
    { ...(loans[0] as Loan), JOB: ' Other ' },
    { ...(loans[0] as Loan), JOB: 'Other' },
  ]);
  const [a, b] = executable(model(), 'serving_default')(padded)['P_BAD1']?.values ?? [];
  expect(a).toBe(b);
});

test('a missing number takes the mean and raises its flag; a missing text has a flag of its own', () => {
  const blank = Object.fromEntries(Object.keys(loans[0] as Loan).map((name) => [name, null]));
  const [row] = [features([{ ...blank, BAD: 0 } as Loan], scaling)];
  expect([...row.subarray(0, 10)]).toEqual(Array.from({ length: 10 }, () => 0));
  expect([...row.subarray(10, 20)]).toEqual(Array.from({ length: 10 }, () => 1));
  expect(FLAGS.filter((_, i) => row[20 + i] === 1)).toEqual([
    { column: 'REASON', category: '' },
    { column: 'JOB', category: '' },
  ]);
});

test('weights are found again in a model of ours, and in no other', () => {
  expect(weightsOf(model())).toEqual(weights);
  expect(weightsOf({ ...model(), nodes: [] })).toBeUndefined();
});

test('the split depends on the inputs alone, to six digits, and holds out a fifth', () => {
  const loan = { ...(loans[0] as Loan), CLAGE: 94.366666666 };
  expect(bucketOf({ ...loan, CLAGE: 94.3666667, BAD: loan.BAD === 1 ? 0 : 1 })).toBe(bucketOf(loan));
  const held = generateTraining(3).filter(isHeldOut).length;
  expect(held / 5400).toBeCloseTo(0.2, 1.5);
});

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Loan } from '../../../examples/home-equity/src/index.ts';
import { generateQuarter, generateTraining, trainHomeEquity } from '../../../examples/home-equity/src/index.ts';
import { performance } from '../../../examples/home-equity/src/performance.ts';
import { tensorsOf, toGraph } from '../../../examples/home-equity/src/saved-model.ts';
import { isHeldOut } from '../../../examples/home-equity/src/split.ts';
import { fit } from '../../../examples/home-equity/src/train.ts';
import type { VariableBaseline } from '../../../packages/core/src/index.ts';
import { binOf } from '../../../packages/core/src/index.ts';
import {
  DEFAULT_SIGNATURE,
  digestTree,
  executable,
  loadModelVersion,
  readSavedModel,
  writeSavedModel,
} from '../../../packages/savedmodel/src/index.ts';
import { RECORDED, RECORDED_WEIGHTS } from './recorded.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fairway-round-trip-'));
});
afterAll(() => rm(dir, { recursive: true }));

const rows = generateTraining(7);
const run = async (folder: string) => executable(await readSavedModel(folder), DEFAULT_SIGNATURE);
const register = (registry: string) =>
  trainHomeEquity({ rows, seed: 7, registryDir: join(dir, registry), version: '1' });

test('the registered SavedModel, executed, gives the predictions of the trainer', async () => {
  const { metrics } = await register('a');
  expect(metrics.auc).toBeGreaterThan(0.85);
  expect(metrics.auc).toBeLessThan(0.92);
  const { predict } = await fit(
    rows.filter((loan) => !isHeldOut(loan)),
    { seed: 7 },
  );
  const loans = [...generateQuarter(7, 1), ...generateQuarter(7, 4)];
  const outputs = (await run(join(dir, 'a/home-equity/1')))(tensorsOf(loans));
  const [executed, own] = [outputs['P_BAD1']?.values ?? [], predict(loans)];
  expect(executed).toHaveLength(6000);
  const worst = own.reduce((most, score, i) => Math.max(most, Math.abs(score - Number(executed[i]))), 0);
  expect(worst).toBeLessThan(1e-6);
});

test('the same loans and seed give the same bytes in every file of the version', async () => {
  await register('b');
  const files = ['saved_model.pb', 'ModelProperties.json', 'inputVar.json', 'outputVar.json', 'baseline.json'];
  const hashes = (registry: string) =>
    Promise.all(
      files.map(async (file) => {
        const bytes = await readFile(join(dir, registry, 'home-equity/1', file));
        return createHash('sha256').update(bytes).digest('hex');
      }),
    );
  expect(await hashes('b')).toEqual(await hashes('a'));
  expect(await digestTree(join(dir, 'b/home-equity/1'))).toBe(await digestTree(join(dir, 'a/home-equity/1')));
});

test('the version folder is what the writer reads', async () => {
  const { modelVersion, baseline } = await loadModelVersion(join(dir, 'a/home-equity/1'), {
    model: 'home-equity',
    version: '1',
  });
  expect(modelVersion.target).toEqual({ variable: 'BAD', event: '1', probability: 'P_BAD1', classification: 'I_BAD' });
  expect(modelVersion.variables).toHaveLength(15);
  expect(modelVersion.metrics).toEqual({ auc: baseline.performance.auc, ks: baseline.performance.ks });
  expect(baseline.variables.map(({ name }) => name)).toContain('DEBTINC');
  const scored = baseline.scores.reduce((sum, [, negatives, positives]) => sum + negatives + positives, 0);
  expect(scored).toBe(baseline.performance.rows);
});

test('a version that exists is never written over', async () => {
  await expect(register('a')).rejects.toThrow('Version 1 of home-equity is in the registry already');
});

test('the quarters tell the story: calm, calm, slipping with visible drift, broken', async () => {
  const folder = join(dir, 'a/home-equity/1');
  const { baseline } = await loadModelVersion(folder, { model: 'home-equity', version: '1' });
  const executed = await run(folder);
  const value = baseline.variables.find(({ name }) => name === 'VALUE') as VariableBaseline;
  const quarters = [1, 2, 3, 4].map((k) => {
    const loans = generateQuarter(7, k);
    const { auc } = performance((executed(tensorsOf(loans))['P_BAD1'] as NumberTensor).values, loans);
    return { loss: 1 - auc / baseline.performance.auc, psi: psi(value, loans) };
  });
  const [calm, still, slipping, broken] = quarters as [Quarter, Quarter, Quarter, Quarter];
  expect(Math.max(calm.loss, still.loss)).toBeLessThan(0.02);
  expect(Math.max(calm.psi, still.psi)).toBeLessThan(0.05);
  expect(slipping.loss).toBeGreaterThan(0.03);
  expect(slipping.loss).toBeLessThan(0.06);
  expect(slipping.psi).toBeGreaterThan(0.1);
  expect(broken.loss).toBeGreaterThan(0.08);
});

type Quarter = { readonly loss: number; readonly psi: number };
type NumberTensor = { readonly values: Float32Array };

/** Population stability index of a variable, missing values left out (monitoring reference, section 3). */
function psi(variable: VariableBaseline, loans: readonly Loan[]): number {
  const bins = loans.map((loan) => binOf(variable, loan.VALUE)).filter((bin) => bin >= 0);
  return variable.counts.reduce((sum, count, bin) => {
    const reference = Math.max(count / variable.n, 1e-4);
    const current = Math.max(bins.filter((one) => one === bin).length / bins.length, 1e-4);
    return sum + (current - reference) * Math.log(current / reference);
  }, 0);
}

// Our executor keeps sums in double precision, TensorFlow in float with its own approximations of log1p and sigmoid.
test('TensorFlow itself computes the same from the same bytes', async () => {
  const folder = join(dir, 'recorded');
  const { graph, signatures } = toGraph(RECORDED_WEIGHTS);
  await writeSavedModel(folder, graph, signatures);
  expect(await digestTree(folder)).toBe(RECORDED.digest);
  const outputs = (await run(folder))(tensorsOf(RECORDED.rows));
  for (const name of ['P_BAD1', 'P_BAD0', 'I_BAD'] as const) {
    const values = outputs[name]?.values ?? [];
    expect(values).toHaveLength(RECORDED.rows.length);
    for (const [i, recorded] of RECORDED.outputs[name].entries()) expect(values[i]).toBeCloseTo(recorded, 5);
  }
});

import { ABOVE_BIN, type Baseline, BELOW_BIN, type PredictionRecord, variableBaseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { METRICS } from '../metrics/registry.ts';
import type { WindowCounts } from '../ports.ts';
import { profileCounts, scoreCounts } from './count.ts';

const baseline: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 100,
  events: 0,
  source: '',
  variables: [
    variableBaseline(
      'age',
      'numeric',
      Array.from({ length: 100 }, (_, age) => age + 1),
    ),
    variableBaseline('job', 'category', ['Office', 'Sales']),
    variableBaseline('empty', 'numeric', [null]),
  ],
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
};

const record = (age: number | null, index: number): PredictionRecord => ({
  id: String(index),
  model: 'm',
  version: '1',
  versionSource: 'url',
  environment: 'prod',
  time: '2026-01-01T10:20:00.000Z',
  inputs: { age, job: 'Office', empty: 5 },
  outputs: {},
  latencyMs: 1,
  status: 200,
});

function countsOf(ages: ReadonlyArray<number | null>): WindowCounts {
  const records = ages.map(record);
  const variables: Record<string, Array<readonly [number, number]>> = {};
  for (const { variable, bin, count } of profileCounts(records, () => baseline)) {
    (variables[variable] ??= []).push([bin, count]);
  }
  const scored = records.map((each) => ({ ...each, score: 0.5, label: -1 as const }));
  const scores = scoreCounts(scored).map(({ bin, count }) => [bin, count, 0, 0] as const);
  return { variables, scores };
}

test('numbers beyond what the baseline has seen are counted beside their bins', () => {
  const { variables } = countsOf([0, -3, 1, 50, 100, 101, null]);
  expect(variables['age']).toEqual([
    [ABOVE_BIN, 1],
    [BELOW_BIN, 2],
    [-1, 1],
    [0, 3],
    [4, 1],
    [9, 2],
  ]);
  expect(variables['job']).toEqual([[0, 7]]);
  // A baseline without a single value has no range to be out of.
  expect(variables['empty']).toEqual([[0, 7]]);
});

test('no value out of range is known as none, and no figure counts a guard as a row', () => {
  const inside = countsOf([1, 50, 100]);
  expect(inside.variables['age']).toContainEqual([BELOW_BIN, 0]);
  expect(METRICS.outOfRange.evaluate(inside, baseline, 'age')?.value).toBe(0);
  const uncounted = { ...inside, variables: { age: [[0, 1] as const, [4, 1] as const, [9, 1] as const] } };
  expect(METRICS.outOfRange.evaluate(uncounted, baseline, 'age')).toBeNull();

  const outside = countsOf([0, 50, 200, null]);
  const without = {
    ...outside,
    variables: { ...outside.variables, age: outside.variables['age']?.filter(([bin]) => bin > -3) ?? [] },
  };
  expect(METRICS.outOfRange.evaluate(outside, baseline, 'age')?.value).toBeCloseTo(2 / 3, 12);
  for (const [name, metric] of Object.entries(METRICS)) {
    if (name === 'outOfRange') continue;
    const variable = metric.scope === 'each-input' ? 'age' : '';
    const [one, other] = [outside, without].map((counts) => metric.evaluate(counts, baseline, variable)?.value);
    expect([name, one]).toEqual([name, other]);
  }
});

test('hours, versions and baselines may come in turns', () => {
  const reversed = { ...baseline, variables: baseline.variables.toReversed().slice(0, 2) };
  const times = ['2026-01-01T10:20:00.000Z', '2026-01-01T11:20:00.000Z', '2026-01-01T10:20:00.000+01:00'];
  const records = Array.from({ length: 24 }, (_, index) => ({
    ...record(index * 9, index),
    version: String(index % 2),
    time: times[index % 3] as string,
  }));
  const baselineOf = ({ id }: PredictionRecord) => (Number(id) % 4 < 2 ? baseline : reversed);
  const totals = (counts: ReturnType<typeof profileCounts>) => {
    const by: Record<string, number> = {};
    for (const { version, hour, variable, bin, count } of counts) {
      const cell = [version, hour, variable, bin].join(' ');
      by[cell] = (by[cell] ?? 0) + count;
    }
    return by;
  };
  const alone = records.flatMap((one) => profileCounts([one], baselineOf));
  expect(totals(profileCounts(records, baselineOf))).toEqual(totals(alone));
});

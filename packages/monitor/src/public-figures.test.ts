import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Baseline, cellText, groupScores, type PredictionRecord, variableBaseline } from '@fairway/core';
import { describe, expect, test } from 'vitest';
import { METRICS } from './metrics/registry.ts';
import type { WindowCounts } from './ports.ts';
import { profileCounts, scoreCounts } from './app/count.ts';
import { windowMetrics } from './app/figures.ts';

const shared = (path: string) => fileURLToPath(new URL(`../../../../shared/${path}`, import.meta.url));
const present = existsSync(shared('data/hmeq/perf_1_q1.csv')) && existsSync(shared('reference/hmeq-q1-q2.json'));

const TEXT = new Set(['REASON', 'JOB']);

function rows(file: string): Array<Record<string, string>> {
  const lines = readFileSync(shared(`data/hmeq/${file}`), 'utf8')
    .trim()
    .split('\n');
  const delimiter = lines[0]?.includes(';') ? ';' : ',';
  const names = lines[0]?.split(delimiter) ?? [];
  return lines
    .slice(1)
    .map((line) => Object.fromEntries(line.split(delimiter).map((cell, index) => [names[index] ?? '', cell])));
}

const value = (name: string, cell: string) => (TEXT.has(name) ? cell : cellText(cell) === null ? null : Number(cell));

function baselineOf(train: ReadonlyArray<Record<string, string>>): Baseline {
  const inputs = Object.keys(train[0] ?? {}).filter((name) => name !== 'BAD');
  return {
    definition: 1,
    model: 'hmeq',
    version: '1',
    rows: train.length,
    events: 0,
    source: '',
    variables: inputs.map((name) =>
      variableBaseline(
        name,
        TEXT.has(name) ? 'category' : 'numeric',
        train.map((row) => value(name, row[name] ?? '')),
      ),
    ),
    performance: { auc: 0.7, ks: 0.4, rows: 0, events: 0 },
    scores: [],
  };
}

function countsOf(quarter: ReadonlyArray<Record<string, string>>, baseline: Baseline): WindowCounts {
  const records = quarter.map((row, index): PredictionRecord & { score: number; label: 0 | 1 } => ({
    id: String(index),
    model: 'hmeq',
    version: '1',
    versionSource: 'url',
    environment: 'prod',
    time: '2025-01-01T00:00:00.000Z',
    inputs: Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, value(name, cell)])),
    outputs: {},
    latencyMs: 1,
    status: 200,
    score: Number(row['P_BAD1']),
    label: row['BAD'] === '1' ? 1 : 0,
  }));
  const variables: Record<string, Array<readonly [number, number]>> = {};
  for (const { variable, bin, count } of profileCounts(records, () => baseline))
    (variables[variable] ??= []).push([bin, count]);
  const groups = new Map<number, [number, number, number, number]>();
  for (const { bin, label, count } of scoreCounts(records)) {
    const group = groups.get(bin) ?? [bin, 0, 0, 0];
    group[label + 2] = count;
    groups.set(bin, group);
  }
  return { variables, scores: [...groups.values()].sort((a, b) => a[0] - b[0]) };
}

type Published = {
  inputs: Record<
    string,
    { psi_right_closed?: number; psi_with_missing_bin: number; counts_right_closed?: number[]; missing?: number }
  >;
  performance: {
    auc: number;
    auc_se_delong: number;
    gini: number;
    ks_class: number;
    brier_ase: number;
    mean_score: number;
  };
};

describe.skipIf(!present)(
  'the worked figures of the public HMEQ data, from counts (skipped where ../shared is absent)',
  () => {
    test.each(['q1', 'q2'] as const)('%s', (quarter) => {
      const baseline = baselineOf(rows('train.csv'));
      const counts = countsOf(rows(quarter === 'q1' ? 'perf_1_q1.csv' : 'perf_2_q2.csv'), baseline);
      const { periods } = JSON.parse(readFileSync(shared('reference/hmeq-q1-q2.json'), 'utf8')) as {
        periods: Record<string, Published>;
      };
      const { inputs, performance } = periods[quarter] as Published;
      const metrics = windowMetrics(counts, baseline, true);
      for (const [name, published] of Object.entries(inputs)) {
        if (published.counts_right_closed !== undefined) {
          const bins = new Map(counts.variables[name]);
          expect(published.counts_right_closed.map((_, bin) => bins.get(bin) ?? 0)).toEqual(
            published.counts_right_closed,
          );
          expect(bins.get(-1) ?? 0).toBe(published.missing);
        }
        if (published.psi_right_closed !== undefined)
          expect(metrics.psi[name]).toBeCloseTo(published.psi_right_closed, 9);
        expect(metrics.psiWithMissing[name]).toBeCloseTo(published.psi_with_missing_bin, 9);
      }
      const auc = METRICS.auc.evaluate(counts, baseline, '');
      expect(Math.abs((metrics.auc ?? 0) - performance.auc)).toBeLessThan(0.0005);
      expect(Math.abs((metrics.ks ?? 0) - performance.ks_class)).toBeLessThan(0.0005);
      expect(Math.abs((metrics.gini ?? 0) - performance.gini)).toBeLessThan(0.001);
      expect(Math.abs((auc?.standardError ?? 0) - performance.auc_se_delong)).toBeLessThan(1e-5);
      expect(Math.abs((metrics.brier ?? 0) - performance.brier_ase)).toBeLessThan(1e-4);
      expect(Math.abs((metrics.meanScore ?? 0) - performance.mean_score)).toBeLessThan(5e-5);
    });

    test('1e-4 groups of exact scores are where the binned figures come from', () => {
      const quarter = rows('perf_2_q2.csv');
      const exact = groupScores(
        quarter.map((row) => Math.min(9999, Math.floor(Number(row['P_BAD1']) * 10_000))),
        quarter.map((row) => Number(row['BAD'])),
      );
      const counts: WindowCounts = { variables: {}, scores: exact.map(([bin, no, yes]) => [bin, 0, no, yes]) };
      expect(METRICS.auc.evaluate(counts, undefined, '')?.value).toBeCloseTo(0.6325323408, 9);
      expect(METRICS.ks.evaluate(counts, undefined, '')?.value).toBeCloseTo(0.2988753687, 9);
    });
  },
);

import type { Baseline } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import { classCells, MATRIX } from '../metrics/class-counts.ts';
import { sumCells } from '../metrics/sums.ts';
import type { WindowCounts } from '../ports.ts';
import { whatMoved } from './what-moved.ts';

const LOAN = { kind: 'numeric', name: 'LOAN', edges: [10], counts: [1000, 1000], n: 2000, missing: 0 };
const BASE: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 2000,
  events: 0,
  source: '',
  variables: [LOAN] as never,
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
};
const told = (counts: WindowCounts, baseline: Baseline) =>
  whatMoved(counts, baseline).map(({ kind, sentence }) => [kind, sentence]);

describe('a number', () => {
  const prediction = { ...LOAN, name: 'price' } as never;
  const baseline = {
    ...BASE,
    regression: { prediction, performance: { rows: 2000, mae: 2, rmse: 2.5, rSquared: 0.9 } },
  };
  const window = (error: number, price: readonly [number, number], loan: readonly [number, number]): WindowCounts => ({
    variables: {
      LOAN: loan.map((count, bin) => [bin, count] as const),
      price: price.map((count, bin) => [bin, count] as const),
    },
    scores: [[-1, 0, 2000, 0]],
    sums: Array.from({ length: 2000 }, (_, row) => sumCells(10 + error * (row % 2 === 0 ? 0.5 : 1.5), 10)).flat(),
  });

  it('has not moved where predictions and errors are as they were', () => {
    expect(told(window(2, [1000, 1000], [1000, 1000]), baseline)).toEqual([]);
  });

  it('moved as its predictions did, with the bin that moved most', () => {
    // 0.25 ln 1.5 − 0.25 ln 0.5
    expect(told(window(2, [1500, 500], [1000, 1000]), baseline)).toEqual([
      ['scores', 'The predictions moved (PSI 0.275): the share of ≤ 10 went from 50.0 % to 75.0 %.'],
    ]);
  });

  it('relates otherwise where the error rose and neither inputs nor predictions moved', () => {
    const relation =
      'The mean absolute error rose from 2.000 to 3.000, and neither the inputs nor the predictions moved: outcomes relate to the inputs otherwise than before.';
    expect(told(window(3, [1000, 1000], [1000, 1000]), baseline)).toEqual([['relation', relation]]);
    expect(told(window(3, [1000, 1000], [1500, 500]), baseline).map(([kind]) => kind)).toEqual(['inputs']);
    expect(told(window(3, [1500, 500], [1000, 1000]), baseline).map(([kind]) => kind)).toEqual(['scores']);
  });
});

describe('one of several classes', () => {
  type Rows = readonly [predicted: number, truth: number, confidence: number, n: number];
  const counted = (rows: readonly Rows[]): Record<string, Array<[number, number]>> => {
    const variables: Record<string, Array<[number, number]>> = {};
    for (const [predicted, truth, confidence, n] of rows) {
      const probabilities = [0, 1].map((at) => (at === predicted ? confidence : 1 - confidence));
      for (const [name, bin, count] of classCells({ predicted, probabilities }, truth, 2))
        (variables[name] ??= []).push([bin, count * n]);
    }
    return variables;
  };
  /** 80 % right, and the model says so. */
  const ROWS: readonly Rows[] = [
    [0, 0, 0.8, 800],
    [0, 1, 0.8, 200],
    [1, 1, 0.8, 800],
    [1, 0, 0.8, 200],
  ];
  const of = (rows: readonly Rows[]): Baseline => ({
    ...BASE,
    classification: { classes: ['a', 'b'], columns: [], predicted: [1000, 1000], heldOut: counted(rows) },
  });
  const window = (rows: readonly Rows[]): WindowCounts => ({
    variables: { LOAN: [[0, 1000] as const, [1, 1000] as const], ...counted(rows) },
    scores: [[-1, 0, 2000, 0]],
  });

  it('has not moved where all is as it was', () => {
    expect(told(window(ROWS), of(ROWS))).toEqual([]);
  });

  it('moved as the predicted and the true classes did', () => {
    const more = ROWS.map(
      ([predicted, truth, p, n]) => [predicted, truth, p, predicted === 0 ? n * 1.5 : n / 2] as const,
    );
    // Shares 0.75 and 0.25; truths 0.65 and 0.35 of 0.5 each.
    expect(told(window(more), of(ROWS))).toEqual([
      ['scores', 'The predicted classes moved (PSI 0.275): the share of a went from 50.0 % to 75.0 %.'],
      ['labels', 'The true classes moved (PSI 0.093): the share of a went from 50.0 % to 65.0 %.'],
    ]);
  });

  it('relates otherwise where accuracy fell and the probabilities promised what they always did', () => {
    const wrong = ROWS.map(([predicted, truth, p]) => [predicted, truth, p, predicted === truth ? 600 : 400] as const);
    const found = told(window(wrong), of(ROWS));
    expect(new Set(found.map(([kind]) => kind))).toEqual(new Set(['calibration', 'relation']));
    expect(Object.fromEntries(found)).toMatchObject({
      relation:
        'Accuracy fell from 0.800 to 0.600, and what the model said explains none of it: outcomes relate to the inputs otherwise than before.',
      calibration:
        'The probability of the likeliest class lies 20.0 points above how often it is right; in the baseline the difference was +0.0 points.',
    });
  });

  it('does not where the probabilities said that it would be right less often', () => {
    const unsure = ROWS.map(([predicted, truth]) => [predicted, truth, 0.6, predicted === truth ? 600 : 400] as const);
    expect(told(window(unsure), of(ROWS))).toEqual([]);
  });

  it('goes by the predicted classes alone where there are no probabilities', () => {
    const bare = (rows: readonly Rows[]) => ({ [MATRIX]: counted(rows)[MATRIX] ?? [] });
    const baseline = of(ROWS);
    const known = { ...baseline, classification: { ...baseline.classification, heldOut: bare(ROWS) } as never };
    const wrong = ROWS.map(([predicted, truth, p]) => [predicted, truth, p, predicted === truth ? 600 : 400] as const);
    const counts = (rows: readonly Rows[]) => ({ ...window(rows), variables: bare(rows) });
    expect(told(counts(wrong), known)).toEqual([
      ['relation', expect.stringContaining('from 0.800 to 0.600, and the predicted classes are as they were:')],
    ]);
    const moved = wrong.map(
      ([predicted, truth, p, n]) => [predicted, truth, p, predicted === 0 ? n * 1.5 : n / 2] as const,
    );
    expect(told(counts(moved), known).map(([kind]) => kind)).not.toContain('relation');
  });
});

import type { RetrainRequest, Verdict, WindowMetrics } from '@fairway/core';
import { expect, it } from 'vitest';
import { windowTable } from './window-table.ts';

const metrics = {
  predictions: 900,
  labelled: 800,
  auc: 0.8125,
  aucInterval: [0.75, 0.875],
  ks: 0.5,
  psi: { LOAN: 0.25, YOJ: null },
} as unknown as WindowMetrics;
const regression = { mae: 12.5, rmse: 20, rSquared: 0.75, predictionPsi: 0.125, predictionDrift: 0 };

const requestOf = (last: WindowMetrics) => {
  const verdict = { window: { period: '2026Q1', version: '3' }, metrics: last, state: 'alert' } as unknown as Verdict;
  return { windows: [], verdict } as unknown as RetrainRequest;
};
const cells = (last: WindowMetrics) =>
  windowTable(requestOf(last))
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((_, line) => line !== 1)
    .map((line) => line.slice(5, -3));

it('shows the ranking of events, and the errors of numbers', () => {
  expect(cells(metrics)).toEqual([
    ['AUC', '95 % interval', 'KS'],
    ['0.8125', '0.7500 to 0.8750', '0.5000'],
  ]);
  expect(cells({ ...metrics, auc: null, ks: null, regression })).toEqual([
    ['MAE', 'RMSE', 'R²', 'PSI of the prediction'],
    ['12.5000', '20.0000', '0.7500', '0.1250'],
  ]);
});

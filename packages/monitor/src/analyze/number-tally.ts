import { numericVariable, type RegressionBaseline } from '@fairway/core';
import { LARGEST_NUMBER, regressionSums, sumCells, SumTable } from '../metrics/sums.ts';
import { metricOf } from '../metrics/registry.ts';
import type { SumCell } from '../ports.ts';
import type { Column } from './tally.ts';

type NumericVariable = RegressionBaseline['prediction'];

/** Predicted numbers of a file, and the sums of their errors where the true value stands beside them. */
export class NumberTally {
  readonly predictions: Column;
  private readonly table = new SumTable();

  constructor(predictions: Column) {
    this.predictions = predictions;
  }

  /** `y`: NaN where it is not known. */
  take(prediction: number, y: number): void {
    this.predictions.push(prediction);
    if (!Number.isNaN(y)) for (const cell of sumCells(prediction, y)) this.table.add(cell);
  }

  sums(): SumCell[] {
    return this.table.sums();
  }

  /** What later predictions and errors are held against. */
  reference(name: string, missing: number): RegressionBaseline {
    const prediction = numericVariable(name, this.predictions.sorted(), missing) as NumericVariable;
    this.predictions.done();
    const sums = this.sums();
    const of = (metric: 'mae' | 'rmse' | 'rSquared') =>
      metricOf(metric).evaluate({ variables: {}, scores: [], sums }, undefined, '')?.value ?? 0;
    const rows = regressionSums(sums)?.n ?? 0;
    return { prediction, performance: { rows, mae: of('mae'), rmse: of('rmse'), rSquared: of('rSquared') } };
  }
}

/** A number that can be summed. */
export const isSummable = (value: number): boolean => Math.abs(value) <= LARGEST_NUMBER;

import type { Baseline } from '@fairway/core';
import type { WindowCounts } from '../ports.ts';

/** One figure with what is needed to judge it. */
export type Evaluation = {
  readonly value: number;
  /** Rows the figure rests on. */
  readonly sample: number;
  /** Standard error of the value, where the metric has one. */
  readonly standardError?: number;
  /** Level that the value stays below with this probability when nothing has changed, where the metric has one. */
  readonly noise?: (probability: number) => number;
};

/**
 * A metric of a window, from counts alone. `evaluate` answers null when the counts cannot give the figure (one class only,
 * nothing on one side, no baseline) and never throws.
 */
export type Metric = {
  readonly name: string;
  /** `each-input`: one figure per variable of the baseline. */
  readonly scope: 'window' | 'each-input';
  readonly needsLabels: boolean;
  readonly better: 'higher' | 'lower';
  /** Which evidence the metric can give beside its value. */
  readonly guards: ReadonlyArray<'noise' | 'z'>;
  evaluate(counts: WindowCounts, baseline: Baseline | undefined, variable: string): Evaluation | null;
  /** The same figure on the baseline's held-out rows: what decay is measured against. null where it has none. */
  held(baseline: Baseline): Evaluation | null;
};

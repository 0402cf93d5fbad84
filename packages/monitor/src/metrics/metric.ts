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
  /** How far the bins can have moved the value from that of the single values, where they can. */
  readonly bound?: number;
  /** Probability of a value at least so large when nothing has changed, where the metric is a test. */
  readonly p?: number;
};

/** What a metric may be asked for beside the counts. */
export type Settings = {
  /** A prediction is "event" from this score on; 0.5 where nothing is said. With 1e-4 bins, a multiple of 1e-4. */
  readonly cutoff?: number;
  /** Count inputs whose PSI chance explains too, as it was before judging 3 (app/judging.ts). */
  readonly countsChance?: true;
};

/** What a model predicts: an event that happens or not, a number, or one of several classes. */
export type Predicts = 'events' | 'numbers' | 'classes';

/**
 * A metric of a window, from counts alone. `evaluate` answers null when the counts cannot give the figure (one class only,
 * nothing on one side, no baseline) and never throws.
 */
export type Metric = {
  readonly name: string;
  /** Its name in a sentence: `PSI`, `missing rate`. */
  readonly title: string;
  /** Shown as a percentage. */
  readonly isRate?: true;
  /** A number of things: shown without decimals. */
  readonly isCount?: true;
  /** `each-input`: one figure per variable of the baseline; `each-class`: per class. */
  readonly scope: 'window' | 'each-input' | 'each-class';
  /** Which models it has a figure of: those about events where nothing is said; every model has inputs. */
  readonly of?: readonly Predicts[];
  readonly needsLabels: boolean;
  /** It says how events rank among non-events: one of few non-events is as much chance as one of few events. */
  readonly ranks?: true;
  readonly better: 'higher' | 'lower';
  /** Which evidence the metric can give beside its value. */
  readonly guards: ReadonlyArray<'noise' | 'z' | 'p'>;
  evaluate(
    counts: WindowCounts,
    baseline: Baseline | undefined,
    variable: string,
    settings?: Settings,
  ): Evaluation | null;
  /**
   * The same figure on the baseline's held-out rows: what decay is measured against. It answers null where they cannot give
   * it; the metric has null in its place when it is a comparison with the baseline already.
   */
  readonly held: ((baseline: Baseline, settings?: Settings, variable?: string) => Evaluation | null) | null;
};

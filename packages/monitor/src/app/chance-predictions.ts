import { auc, type Baseline, type ClassBaseline, ksClasses, type RegressionBaseline } from '@fairway/core';
import { MATRIX, predictedOf } from '../metrics/class-counts.ts';
import type { Predicts } from '../metrics/metric.ts';
import { isOf, type MetricName } from '../metrics/registry.ts';
import type { WindowCounts } from '../ports.ts';
import { cells, type Random, redrawn, windowCells } from './draw.ts';
import { lacksPerformance } from './first-good.ts';

/** What a model predicts and what comes true, drawn anew: for the baseline, and for windows of so many labelled rows. */
type Predictions = {
  baseline(): Partial<Baseline>;
  window(rows: number, baseline: Baseline): WindowCounts;
};

/** Metrics of such models that the simulation has nothing for. */
const NOT_DRAWN: Readonly<Record<Predicts, ReadonlySet<MetricName>>> = {
  events: new Set(),
  // Of errors a baseline knows mean and mean square, not how they are distributed.
  numbers: new Set<MetricName>(['mae', 'rmse', 'rSquared']),
  // Cells of predicted and true class say nothing of probabilities.
  classes: new Set<MetricName>(['logLoss', 'classBrier', 'classEce', 'macroAuc', 'classAuc']),
};

const SAID = { events: 'scores', numbers: 'errors', classes: 'probabilities of classes' } as const;

/** Which of these metrics windows that were drawn from this baseline have no figure of, in words; undefined: all have one. */
export function notDrawn(metrics: readonly MetricName[], world: Baseline): string | undefined {
  const predicts = predictedOf(world);
  if (metrics.some((metric) => NOT_DRAWN[predicts].has(metric))) return SAID[predicts];
  const isOfInputs = (metric: MetricName) => isOf(metric, 'numbers') && isOf(metric, 'classes');
  const isDrawn = (metric: MetricName) => isOfInputs(metric) || predicts === 'numbers';
  return lacksPerformance(world) && !metrics.every(isDrawn) ? 'scores and labels' : undefined;
}

export function predictionsOf(world: Baseline, random: Random): Predictions {
  const { classification, regression } = world;
  const predicts = predictedOf(world);
  if (predicts === 'classes' && classification !== undefined) return classesDrawn(classification, random);
  if (predicts === 'numbers' && regression !== undefined) return numbersDrawn(regression, random);
  return eventsDrawn(world, random);
}

/** Scores with their labels, as the held-out rows have them. */
function eventsDrawn(world: Baseline, random: Random): Predictions {
  const draw = cells(
    world.scores.flatMap(([, nonEvents, events]) => [nonEvents, events]),
    random,
  );
  const bins = world.scores.map(([bin]) => bin);
  const scored = (rows: number) => {
    const drawn = draw(rows);
    return bins
      .map((bin, index) => [bin, drawn[2 * index] ?? 0, drawn[2 * index + 1] ?? 0] as const)
      .filter(([, nonEvents, events]) => nonEvents + events > 0);
  };
  const heldOut = world.scores.reduce((sum, [, nonEvents, events]) => sum + nonEvents + events, 0);
  return {
    baseline: () => {
      const drawn = scored(heldOut);
      const events = drawn.reduce((sum, [, , positive]) => sum + positive, 0);
      return {
        performance: { auc: auc(drawn) ?? 0, ks: ksClasses(drawn) ?? 0, rows: heldOut, events },
        scores: drawn,
      };
    },
    window: (rows) => ({
      variables: {},
      scores:
        bins.length === 0
          ? [[-1, rows, 0, 0]]
          : scored(rows).map(([bin, nonEvents, events]) => [bin, 0, nonEvents, events]),
    }),
  };
}

/** Predicted numbers in their reference bins. */
function numbersDrawn({ prediction, performance }: RegressionBaseline, random: Random): Predictions {
  const draw = cells([...prediction.counts, prediction.missing], random);
  return {
    baseline: () => ({
      regression: { prediction: redrawn(prediction, draw(prediction.n + prediction.missing)), performance },
    }),
    window: (rows, { regression }) => {
      const reference = regression?.prediction ?? prediction;
      const variables = prediction.n === 0 ? {} : { [prediction.name]: windowCells(reference, draw(rows), random) };
      return { variables, scores: [[-1, rows, 0, 0]] };
    },
  };
}

/** Predicted and true classes, as the held-out rows have them; predicted ones of the baseline as all of its rows do. */
function classesDrawn(world: ClassBaseline, random: Random): Predictions {
  const k = world.classes.length;
  // The last column holds rows without a label.
  const held = (world.heldOut[MATRIX] ?? []).filter(([bin]) => bin % (k + 2) <= k);
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const weights = held.map(([, count]) => count);
  const [draw, predicted] = [cells(weights, random), cells(world.predicted, random)];
  const matrix = (rows: number) => {
    const drawn = draw(rows);
    return held.map(([bin], index) => [bin, drawn[index] ?? 0] as const).filter(([, count]) => count > 0);
  };
  return {
    baseline: () => ({
      classification: {
        ...world,
        predicted: predicted(total(world.predicted)),
        heldOut: { [MATRIX]: matrix(total(weights)) },
      },
    }),
    window: (rows) =>
      held.length === 0
        ? { variables: {}, scores: [[-1, rows, 0, 0]] }
        : { variables: { [MATRIX]: matrix(rows) }, scores: [[-1, 0, rows, 0]] },
  };
}

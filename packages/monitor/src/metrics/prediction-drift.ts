import type { Metric } from './metric.ts';
import { psi } from './psi.ts';
import { quantileDrift } from './quantile-drift.ts';

/** A metric of inputs, asked of the predicted number in its own reference bins; null where the model predicts none. */
const ofPrediction = (metric: Metric, name: string, title: string): Metric => ({
  ...metric,
  name,
  title,
  scope: 'window',
  of: ['numbers'],
  evaluate: (counts, baseline) => {
    const prediction = baseline?.regression?.prediction;
    if (baseline === undefined || prediction === undefined) return null;
    return metric.evaluate(counts, { ...baseline, variables: [prediction] }, prediction.name);
  },
});

export const predictionPsi = ofPrediction(psi, 'predictionPsi', 'PSI of the prediction');
export const predictionDrift = ofPrediction(quantileDrift, 'predictionDrift', "shift of the prediction's deciles");

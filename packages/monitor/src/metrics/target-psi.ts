import { isAboutEvents } from './class-counts.ts';
import { totals } from './counts.ts';
import type { Metric } from './metric.ts';
import { stabilityIndex } from './stability.ts';

/** PSI of the target: events and non-events among labelled predictions against those of the training data. */
export const targetPsi: Metric = {
  name: 'targetPsi',
  title: 'target PSI',
  scope: 'window',
  needsLabels: true,
  better: 'lower',
  guards: ['noise', 'p'],
  evaluate: (counts, baseline) => {
    // Without a single event the training data came without labels.
    if (baseline === undefined || baseline.events === 0 || !isAboutEvents(counts)) return null;
    const { labelled, events } = totals(counts);
    return stabilityIndex([baseline.rows - baseline.events, baseline.events], [labelled - events, events]);
  },
  held: null,
};

import { isAboutEvents } from './class-counts.ts';
import { totals } from './counts.ts';
import type { Metric } from './metric.ts';

/** Events among labelled predictions; a number has none. */
export const eventRate: Metric = {
  name: 'eventRate',
  title: 'event rate',
  isRate: true,
  scope: 'window',
  needsLabels: true,
  better: 'lower',
  guards: [],
  evaluate: (counts) => {
    if (!isAboutEvents(counts)) return null;
    const { labelled, events } = totals(counts);
    return labelled === 0 ? null : { value: events / labelled, sample: labelled };
  },
  held: ({ performance }) =>
    performance.rows === 0 ? null : { value: performance.events / performance.rows, sample: performance.rows },
};

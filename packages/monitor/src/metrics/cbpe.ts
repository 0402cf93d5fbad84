import { scored } from './counts.ts';
import type { Metric } from './metric.ts';

const CUTOFF = 0.5;

const ESTIMATE = {
  scope: 'window',
  // It stands on scores alone: that is its use, and its blindness for a relation that has changed (monitoring reference §5).
  needsLabels: false,
  better: 'higher',
  guards: [],
  held: null,
} as const;

/**
 * AUC to be expected if only the inputs had changed (CBPE, raw): each prediction counts p towards "event" and 1 − p towards
 * "non-event". It is no performance: it may warn, it must never cancel or soften what labels say.
 */
export const cbpeAuc: Metric = {
  ...ESTIMATE,
  name: 'cbpeAuc',
  title: 'expected AUC if only the inputs had changed',
  evaluate: (counts) => {
    let [below, wins, events, sample] = [0, 0, 0, 0];
    for (const [p, n] of scored(counts)) {
      const [positive, negative] = [n * p, n * (1 - p)];
      wins += positive * (below + negative / 2);
      below += negative;
      events += positive;
      sample += n;
    }
    return events === 0 || below === 0 ? null : { value: wins / (events * below), sample };
  },
};

/** Accuracy to be expected if only the inputs had changed (CBPE, raw), at the cutoff. */
export const cbpeAccuracy: Metric = {
  ...ESTIMATE,
  name: 'cbpeAccuracy',
  title: 'expected accuracy if only the inputs had changed',
  evaluate: (counts, _baseline, _variable, settings) => {
    const cutoff = settings?.cutoff ?? CUTOFF;
    let [right, sample] = [0, 0];
    for (const [p, n] of scored(counts)) {
      right += n * (p >= cutoff ? p : 1 - p);
      sample += n;
    }
    return sample === 0 ? null : { value: right / sample, sample };
  },
};

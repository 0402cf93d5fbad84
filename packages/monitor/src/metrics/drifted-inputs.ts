import type { Metric } from './metric.ts';
import { psiWithMissing } from './psi-with-missing.ts';

/** Chance alone reaches a PSI above this level of probability so seldom that an input counts. */
const SURE = 0.99;

/**
 * How many inputs have a PSI with missing bin above a limit (strictly) and above its noise level: SAS's P1 and P25. SAS does not publish its deviation
 * index; PSI stands for it here. Broad small drift shows in them before any single input does.
 */
function metric(name: string, limit: number): Metric {
  return {
    name,
    title: `number of inputs with a PSI above ${limit}`,
    isCount: true,
    scope: 'window',
    of: ['events', 'numbers', 'classes'],
    needsLabels: false,
    better: 'lower',
    guards: [],
    evaluate: (counts, baseline, _variable, settings) => {
      const found = (baseline?.variables ?? [])
        .map((variable) => psiWithMissing.evaluate(counts, baseline, variable.name))
        .filter((one) => one !== null);
      if (found.length === 0) return null;
      const sample = Math.max(...found.map((one) => one.sample));
      const moved = found.filter(
        ({ value, noise }) => value > limit && (settings?.countsChance || value > (noise?.(SURE) ?? 0)),
      );
      return { value: moved.length, sample };
    },
    held: null,
  };
}

export const p1 = metric('p1', 0.1);
export const p25 = metric('p25', 0.25);

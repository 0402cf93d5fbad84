import type { Baseline } from '@fairway/core';
import { scoredBins } from './counts.ts';
import type { Metric } from './metric.ts';
import { stabilityIndex } from './stability.ts';

type BinCount = readonly [bin: number, count: number];

/** PSI of the score against the baseline's held-out scores, in their deciles (type 7 on 1e-4 bins, right-closed, ties merged). */
export const scorePsi: Metric = {
  name: 'scorePsi',
  scope: 'window',
  needsLabels: false,
  better: 'lower',
  guards: ['noise'],
  evaluate: (counts, baseline) => {
    const reference = referenceBins(baseline);
    const edges = decileBins(reference);
    return stabilityIndex(cut(reference, edges), cut(scoredBins(counts), edges));
  },
  held: () => null,
};

const referenceBins = (baseline: Baseline | undefined): BinCount[] =>
  (baseline?.scores ?? []).map(([bin, nonEvents, events]) => [bin, nonEvents + events] as const);

/** Inner decile edges of binned values, on the scale of bin numbers. */
function decileBins(bins: readonly BinCount[]): number[] {
  const n = bins.reduce((total, [, count]) => total + count, 0);
  const edges: number[] = [];
  if (n === 0) return edges;
  for (let k = 1; k <= 9; k++) {
    const h = ((n - 1) * k) / 10;
    const low = binAt(bins, Math.floor(h));
    const edge = low + (h - Math.floor(h)) * (binAt(bins, Math.floor(h) + 1) - low);
    if (edges.at(-1) !== edge) edges.push(edge);
  }
  return edges;
}

/** The bin of the value at `rank` (from 0) in ascending order. */
function binAt(bins: readonly BinCount[], rank: number): number {
  let seen = 0;
  for (const [bin, count] of bins) {
    seen += count;
    if (rank < seen) return bin;
  }
  return bins.at(-1)?.[0] ?? 0;
}

function cut(bins: readonly BinCount[], edges: readonly number[]): number[] {
  const counts = Array.from({ length: edges.length + 1 }, () => 0);
  for (const [bin, count] of bins) {
    const found = edges.findIndex((edge) => bin <= edge);
    const at = found < 0 ? edges.length : found;
    counts[at] = (counts[at] ?? 0) + count;
  }
  return counts;
}

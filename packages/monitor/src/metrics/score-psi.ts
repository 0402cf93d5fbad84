import { referenceScored, scored } from './counts.ts';
import type { Metric } from './metric.ts';
import { stabilityIndex } from './stability.ts';

type Scores = Iterable<readonly [score: number, count: number]>;

/**
 * PSI of the score against the baseline's held-out scores, in their deciles (type 7, right-closed, ties merged). From 1e-4
 * bins the edges lie at most 5e-5 beside those of the single scores.
 */
export const scorePsi: Metric = {
  name: 'scorePsi',
  title: 'score PSI',
  scope: 'window',
  needsLabels: false,
  better: 'lower',
  guards: ['noise', 'p'],
  evaluate: (counts, baseline) => {
    const reference = referenceScored(counts, baseline);
    const edges = decileEdges(reference);
    return stabilityIndex(cut(reference, edges), cut(scored(counts), edges));
  },
  held: null,
};

/** Inner decile edges of grouped values in ascending order. */
function decileEdges(groups: Scores): number[] {
  let n = 0;
  for (const [, count] of groups) n += count;
  const wanted = Array.from({ length: 9 }, (_, k) => ((n - 1) * (k + 1)) / 10);
  const values =
    n === 0
      ? []
      : ranked(
          groups,
          wanted.flatMap((h) => [Math.floor(h), Math.floor(h) + 1]),
        );
  const edges: number[] = [];
  for (const [k, h] of (n === 0 ? [] : wanted).entries()) {
    const low = values[2 * k] as number;
    const edge = low + (h - Math.floor(h)) * ((values[2 * k + 1] as number) - low);
    if (edges.at(-1) !== edge) edges.push(edge);
  }
  return edges;
}

/** The values at these ranks (from 0, ascending); a rank beyond the last value is that of the last. */
function ranked(groups: Scores, ranks: readonly number[]): number[] {
  const order = ranks.map((rank, index) => [rank, index] as const).sort((a, b) => a[0] - b[0]);
  const values: number[] = [];
  let seen = 0;
  let next = 0;
  let last = 0;
  for (const [score, count] of groups) {
    seen += count;
    last = score;
    while (next < order.length && (order[next]?.[0] as number) < seen) values[order[next++]?.[1] as number] = score;
  }
  for (; next < order.length; next++) values[order[next]?.[1] as number] = last;
  return values;
}

function cut(groups: Scores, edges: readonly number[]): number[] {
  const counts = Array.from({ length: edges.length + 1 }, () => 0);
  let bin = 0;
  for (const [score, count] of groups) {
    while (bin < edges.length && score > (edges[bin] as number)) bin++;
    counts[bin] = (counts[bin] as number) + count;
  }
  return counts;
}

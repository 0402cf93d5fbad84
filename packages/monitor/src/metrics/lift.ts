import type { ScoreGroup } from '@fairway/core';
import { groupTotals, heldOutGroups, labelledGroups } from './counts.ts';
import type { Evaluation, Metric } from './metric.ts';

/**
 * Events among the best-scored `depth` × N rows (not rounded); the tied group at the cut is shared in proportion. Counted from
 * below: those in the rest are left out. null when a class is empty.
 */
function eventsInTop(
  groups: Iterable<ScoreGroup>,
  depth: number,
): { top: number; events: number; rows: number } | null {
  const { rows, events } = groupTotals(groups);
  if (events === 0 || events === rows) return null;
  let rest = rows - depth * rows;
  let outside = 0;
  for (const [, negative, positive] of groups) {
    const size = negative + positive;
    outside += size <= rest ? positive : (positive * rest) / size;
    rest = Math.max(0, rest - size);
    if (rest === 0) break;
  }
  return { top: events - outside, events, rows };
}

function metric(
  name: string,
  title: string,
  percent: number,
  read: (captured: number, depth: number) => number,
): Metric {
  const evaluate = (groups: Iterable<ScoreGroup>): Evaluation | null => {
    const found = eventsInTop(groups, percent / 100);
    return found === null ? null : { value: read(found.top / found.events, percent / 100), sample: found.rows };
  };
  return {
    name,
    title,
    scope: 'window',
    needsLabels: true,
    ranks: true,
    better: 'higher',
    guards: [],
    evaluate: (counts) => evaluate(labelledGroups(counts)),
    held: (baseline) => evaluate(heldOutGroups(baseline.scores)),
  };
}

/** Cumulative lift: how many times more events the best-scored rows hold than rows taken by chance. */
const lift = (depth: number) =>
  metric(`lift${depth}`, `lift at ${depth} %`, depth, (captured, share) => captured / share);
/** Gains (captured response): share of all events among the best-scored rows. */
const gain = (depth: number): Metric => ({
  ...metric(`gain${depth}`, `share of events in the best ${depth} %`, depth, (captured) => captured),
  isRate: true,
});

/** Every decile, and the depths that SAS reports besides (`_Cumlift5_` to `_Cumlift30_`). */
export const DEPTHS = [5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90] as const;
type Depth = (typeof DEPTHS)[number];

const atDepths = <P extends string>(prefix: P, of: (depth: number) => Metric) =>
  Object.fromEntries(DEPTHS.map((depth) => [`${prefix}${depth}`, of(depth)])) as Record<`${P}${Depth}`, Metric>;

export const lifts = atDepths('lift', lift);
export const gains = atDepths('gain', gain);

import type { Segment } from '@fairway/core';
import { chiSquareTail } from '../metrics/chi-square.ts';
import { labelledGroups } from '../metrics/counts.ts';
import { normalQuantile } from '../metrics/normal.ts';
import { metricOf } from '../metrics/registry.ts';
import { ANY_MISSING, type SegmentCounts } from '../metrics/segment-counts.ts';
import type { WindowCounts } from '../ports.ts';

/** Fewer labelled rows, or fewer of one class, say nothing of a segment. */
export type Least = { readonly rows: number; readonly ofClass: number };

/** A segment that is large enough to look at. `gap`: how much worse it is than the whole window. */
export type LookedAt = {
  readonly segment: Segment;
  readonly key: string;
  readonly gap: number;
  /** Probability of such a gap by chance. */
  readonly p: number;
};

/**
 * Segments against the whole window, largest gap first. AUC: how far below it; mean absolute error: how far above it, one-sided;
 * accuracy of several classes: how far below it; calibration: how far the mean score lies from the event rate, on either side. By
 * the standard error of the segment alone; of an accuracy by that which the whole window's share would have there.
 */
export function lookAtSegments(
  metric: Segment['metric'],
  whole: WindowCounts,
  segments: readonly SegmentCounts[],
  least: Least,
): LookedAt[] {
  const overall = metricOf(metric).evaluate(whole, undefined, '')?.value;
  if (overall === undefined) return [];
  return segments
    .flatMap((one) => lookAt(metric, overall, one, least) ?? [])
    .sort((a, b) => b.gap - a.gap || (a.key < b.key ? -1 : 1));
}

const Z_95 = normalQuantile(0.975);

function lookAt(metric: Segment['metric'], overall: number, one: SegmentCounts, least: Least): LookedAt | undefined {
  const { key, where, counts } = one;
  const found = metricOf(metric).evaluate(counts, undefined, '');
  const error = metric === 'calibration' ? calibrationError(counts) : found?.standardError;
  if (found === null || error === undefined || found.sample < least.rows) return undefined;
  const { value, sample: labelled } = found;
  const isAboutEvents = metric === 'auc' || metric === 'calibration';
  const eventRate = isAboutEvents ? (metricOf('eventRate').evaluate(counts, undefined, '')?.value ?? null) : null;
  const events = Math.round((eventRate ?? 0) * labelled);
  if (isAboutEvents && Math.min(events, labelled - events) < least.ofClass) return undefined;
  const gap = metric === 'calibration' ? Math.abs(value) : metric === 'mae' ? value - overall : overall - value;
  const chance = metric === 'accuracy' ? Math.sqrt((overall * (1 - overall)) / labelled) : error;
  const reach = Z_95 * error;
  const interval: [number, number] = [value - reach, value + reach];
  if (metric !== 'calibration') interval[0] = Math.max(0, interval[0]);
  if (metric === 'auc' || metric === 'accuracy') interval[1] = Math.min(1, interval[1]);
  return {
    key,
    gap,
    p: chanceOf(gap / chance, metric === 'calibration'),
    segment: { where, labelled, eventRate, metric, value, interval, overall },
  };
}

/** If scores are probabilities, the mean of so many outcomes differs from the mean score by so much. */
function calibrationError(counts: WindowCounts): number | undefined {
  let [variance, rows] = [0, 0];
  for (const [score, nonEvents, events] of labelledGroups(counts)) {
    rows += nonEvents + events;
    variance += (nonEvents + events) * score * (1 - score);
  }
  return rows === 0 || variance === 0 ? undefined : Math.sqrt(variance) / rows;
}

/** `z` is no number where neither gap nor error is above 0, and infinite where one score for all rows leaves the error at 0. */
function chanceOf(z: number, bothSides: boolean): number {
  if (!(z > 0)) return 1;
  if (z === Number.POSITIVE_INFINITY) return 0;
  const both = chiSquareTail(z * z, 1);
  return bothSides ? both : both / 2;
}

/** In a sentence. */
export function segmentSentence({ where, labelled, eventRate, metric, value, interval, overall }: Segment): string {
  const shown = (number: number) => (metric === 'mae' ? number.toPrecision(4) : number.toFixed(4));
  const events = eventRate === null ? '' : `, ${(100 * eventRate).toFixed(1)} % events`;
  const range = `${shown(interval[0])} to ${shown(interval[1])}`;
  return `${placeOf(where)}: ${metricOf(metric).title} ${shown(value)} (${range}) against ${shown(overall)} of all, on ${labelled.toLocaleString('en-US')} labelled rows${events}.`;
}

export const placeOf = (where: Segment['where']): string =>
  Object.entries(where)
    .map(([name, bin]) => (name === ANY_MISSING ? WHETHER_MISSING[bin] : undefined) ?? `${name} ${bin}`)
    .join(' and ');

const WHETHER_MISSING: Readonly<Record<string, string>> = { yes: 'an input is missing', no: 'no input is missing' };

import type { Baseline, Finding, Segment } from '@fairway/core';
import { predictedOf } from '../metrics/class-counts.ts';
import { segmentInputs, segmentSets, segmentsOf } from '../metrics/segment-counts.ts';
import { metricOf } from '../metrics/registry.ts';
import { type LookedAt, lookAtSegments, placeOf } from '../moved/worst-segments.ts';
import type { SegmentRule } from '../policy/schema.ts';
import { type By, largestP, type Mood, type Seen, stands } from './judge-rule.ts';
import type { Judging } from './judging.ts';

/** So many segments of each rule are kept with the verdict. */
const LISTED = 5;

export type SegmentJudgement = { readonly findings: readonly Finding[]; readonly segments: readonly Segment[] };

/**
 * What the policy's rules on segments say of a window, from counts alone; nothing while performance is not known. `before`: earlier
 * windows, oldest first, for rules that look at several.
 */
export function judgeSegments(seen: Seen, before: readonly Seen[], by: By): SegmentJudgement {
  const { baseline, policy, judging } = by;
  const { segments = [] } = policy;
  if (baseline === undefined) return { findings: [], segments: [] };
  const judged = segments.map((rule) => ({ rule, standing: standingOf(rule, seen, before, baseline) }));
  return {
    findings: judged.flatMap(({ rule, standing }) => standing.map((one) => findingOf(rule, one, judging))),
    segments: judged.flatMap(({ standing }) => standing.map(({ segment }) => segment)),
  };
}

/** `size`: what the limit is held against. */
type Look = LookedAt & { readonly size: number; readonly mood: Mood };

/** The worst segments of which the rule speaks. One that is too small in a window neither counts nor resets there. */
function standingOf(rule: SegmentRule, seen: Seen, before: readonly Seen[], baseline: Baseline): Look[] {
  const now = looksAt(rule, seen, baseline);
  const isQuiet = rule.leave === undefined && now.every(({ mood }) => mood !== 'breach');
  const isOfOne = rule.leave === undefined && (rule.periods === undefined || rule.periods.of === 1);
  const past = isQuiet || isOfOne ? [] : before.map((one) => moodsOf(looksAt(rule, one, baseline)));
  return now
    .filter(({ key, mood }) => stands(rule, [...past.map((moods) => moods.get(key)), mood]))
    .sort((a, b) => b.gap - a.gap || (a.key < b.key ? -1 : 1))
    .slice(0, LISTED);
}

const moodsOf = (looks: readonly Look[]): ReadonlyMap<string, Mood> =>
  new Map(looks.map(({ key, mood }) => [key, mood]));

/** Segments that are large enough to look at; breached are those beyond the limit whose p stands up to their number. */
function looksAt(rule: SegmentRule, { counts, enoughRows, performanceKnown }: Seen, baseline: Baseline): Look[] {
  if (!enoughRows || !performanceKnown) return [];
  const inputs = segmentInputs(baseline);
  const wanted = rule.of ?? inputs.map(({ name }) => name);
  const least = { rows: rule.minimum.rows, ofClass: rule.minimum.events ?? 0 };
  const looked = segmentSets(inputs.length, rule.pairs)
    .filter((set) => set.every((at) => wanted.includes(inputs[at]?.name ?? '')))
    .flatMap((set) => {
      const { segments, whole } = segmentsOf(counts, inputs, set, predictedOf(baseline));
      return lookAtSegments(rule.metric, whole, segments, least);
    });
  const most = largestP(
    looked.map(({ p }) => p),
    rule.guard,
  );
  return looked.map((one) => {
    const size = rule.metric === 'mae' ? one.gap / one.segment.overall : one.gap;
    return { ...one, size, mood: moodOf(rule, size, one.p <= most) };
  });
}

function moodOf({ limit, leave }: SegmentRule, size: number, isEvident: boolean): Mood {
  if (size >= limit) return isEvident ? 'breach' : 'between';
  return leave === undefined || size < leave.limit ? 'clear' : 'between';
}

const WHAT: Readonly<Record<SegmentRule['metric'], (overall: number) => string>> = {
  auc: (overall) => `below the ${overall.toFixed(3)} of all`,
  accuracy: (overall) => `below the ${overall.toFixed(3)} of all`,
  mae: (overall) => `of the ${overall.toPrecision(4)} of all above it`,
  calibration: () => 'from the event rate',
};

function findingOf(rule: SegmentRule, { segment, size, p, mood }: Look, judging: Judging): Finding {
  const { id, metric, limit, leave, severity } = rule;
  const variable = placeOf(segment.where);
  const { title } = metricOf(metric);
  const value = metric === 'mae' ? segment.value.toPrecision(4) : segment.value.toFixed(3);
  const shown = `${title.charAt(0).toUpperCase()}${title.slice(1)} where ${variable} is ${value}`;
  const held = mood === 'breach' || leave === undefined ? {} : { leave: leave.limit };
  const until = 'leave' in held ? `; it stands until below ${held.leave?.toFixed(3)}` : '';
  const message = `${shown}: ${size.toFixed(3)} ${WHAT[metric](segment.overall)}, limit ${limit.toFixed(3)}${until} (${segment.labelled.toLocaleString('en-US')} labelled rows; p = ${p.toPrecision(2)}).`;
  const figures = { value: size, limit, op: '>=', p, ...held, sample: segment.labelled } as const;
  // A calibration is held against its own event rate: there its size is the figure.
  const compared = { as: 'segment', figure: segment.value, against: segment.overall } as const;
  const isGap = metric !== 'calibration' && judging >= 4;
  return { rule: id, metric, variable, ...figures, ...(isGap ? { compared } : {}), severity, message };
}

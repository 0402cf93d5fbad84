import type { Baseline, Compared } from '@fairway/core';
import { classesOf, isAboutEvents } from '../metrics/class-counts.ts';
import { totals } from '../metrics/counts.ts';
import type { Evaluation, Metric, Settings } from '../metrics/metric.ts';
import { type MetricName, metricOf } from '../metrics/registry.ts';
import { variableOf } from '../metrics/psi.ts';
import type { Policy, Rule } from '../policy/schema.ts';
import type { WindowCounts } from '../ports.ts';
import { inputNames } from './figures.ts';
import type { Judging } from './judging.ts';
import {
  binsTooThin,
  isLack,
  type Lack,
  noFigure,
  noReference,
  nothingToLose,
  tooFewLabels,
  tooFewRows,
} from './unanswered.ts';

/** What a rule says of one window: over its limit with evidence; on the mild side of the limit for leaving; neither. */
export type Mood = 'breach' | 'between' | 'clear';

/** One figure held against its rule. */
export type Look = {
  readonly mood: Mood;
  readonly evaluation: Evaluation;
  /** What the limit is held against: the figure, or its decay. */
  readonly value: number;
  /** Of a decay: the figure, and the one it is measured from. */
  readonly compared?: Compared;
  readonly noise?: number;
  readonly p?: number;
};

/** What a rule is held against. */
export type By = {
  readonly baseline: Baseline | undefined;
  readonly policy: Policy;
  readonly judging: Judging;
};

/** A window's counts with what every rule asks of them first. */
export type Seen = {
  readonly counts: WindowCounts;
  readonly enoughRows: boolean;
  readonly performanceKnown: boolean;
  /** As many non-events as the policy asks events, of a model about events. */
  readonly bothClasses: boolean;
};

export function seen(counts: WindowCounts, { period, minimum }: Policy): Seen {
  const { predictions, labelled, events } = totals(counts);
  const covered = labelled > 0 && labelled >= period.coverageFloor * predictions;
  return {
    counts,
    enoughRows: predictions > 0 && predictions >= minimum.rows,
    // A number, or one of several classes, is no event that has to happen: what counts is how many are known.
    bothClasses: !isAboutEvents(counts) || labelled - events >= minimum.events,
    performanceKnown: covered && (isAboutEvents(counts) ? events : labelled) >= minimum.events,
  };
}

/** By variable (`''` = the window) that a rule can be evaluated on, in the baseline's order; why, where there is none. */
export type Looks = ReadonlyMap<string, Look> | Lack;

export function lookAt(rule: Rule, seen: Seen, by: By): Looks {
  const metric = metricOf(rule.metric);
  const { counts, enoughRows, performanceKnown, bothClasses } = seen;
  const { baseline, policy, judging } = by;
  if (!enoughRows) return tooFewRows(counts, policy);
  if (metric.needsLabels && !performanceKnown) return tooFewLabels(counts, policy);
  if (metric.ranks && !bothClasses && judging >= 3) return tooFewLabels(counts, policy);
  const looks = new Map<string, Look>();
  let lack: Lack | undefined;
  for (const variable of scopesOf(rule, counts, baseline)) {
    const look = lookAtOne(rule, metric, counts, by, variable);
    if (isLack(look)) lack ??= look;
    else looks.set(variable, look);
  }
  if (looks.size === 0) return lack ?? noFigure(metric, baseline);
  return rule.guard !== undefined && 'p' in rule.guard ? corrected(looks, rule.guard) : looks;
}

/** The looks of a rule that could be evaluated; none of any other. */
export const looksOf = (looks: Looks): ReadonlyMap<string, Look> => (isLack(looks) ? new Map<string, Look>() : looks);

function lookAtOne(rule: Rule, metric: Metric, counts: WindowCounts, by: By, variable: string): Look | Lack {
  const { baseline, policy, judging } = by;
  const settings: Settings = {
    ...(policy.cutoff === undefined ? {} : { cutoff: policy.cutoff }),
    ...(judging < 3 ? { countsChance: true } : {}),
  };
  const now = metric.evaluate(counts, baseline, variable, settings);
  if (now === null) return noFigure(metric, baseline);
  const least = policy.minimum.rowsPerBin * binsOf(rule.metric, variable, baseline, judging);
  if (now.sample < least) return binsTooThin(metric, now, least);
  const measured = compare(rule, metric, now, { baseline, settings, variable, judging });
  return isLack(measured) ? measured : lookOf(rule, now, measured);
}

function scopesOf(rule: Rule, counts: WindowCounts, baseline: Baseline | undefined): string[] {
  if (rule.scope === undefined) return [''];
  if (rule.scope === 'each-class') return [...classesOf(baseline)];
  return rule.scope === 'each-input' ? inputNames(counts, baseline) : [rule.scope];
}

/** Of a score: its deciles; of a target: two. */
const OTHER_BINS: Partial<Record<MetricName, number>> = { scorePsi: 10, targetPsi: 2 };

/** Bins of a PSI; 0 of what is none. A histogram needs `rowsPerBin` rows for each before it says anything (monitoring reference §8). */
function binsOf(metric: MetricName, variable: string, baseline: Baseline | undefined, judging: Judging): number {
  if (metric === 'psi' || metric === 'psiWithMissing') return variableOf(baseline, variable)?.counts.length ?? 0;
  if (judging < 3) return 0;
  if (metric === 'predictionPsi') return baseline?.regression?.prediction.counts.length ?? 0;
  return metric === 'classPsi' ? classesOf(baseline).length : (OTHER_BINS[metric] ?? 0);
}

type Of = { readonly settings: Settings; readonly variable: string };
type Measured = Pick<Look, 'value' | 'compared'> & { readonly z?: number };

/** The value the limit is held against; for decay, with its z. Positive decay = worse. */
function compare(
  rule: Rule,
  metric: Metric,
  now: Evaluation,
  { baseline, settings, variable, judging }: Omit<By, 'policy'> & Of,
): Measured | Lack {
  if (rule.compare === 'value') return { value: now.value };
  const before = baseline === undefined ? null : (metric.held?.(baseline, settings, variable) ?? null);
  if (before === null) return noReference(metric);
  const decay = metric.better === 'higher' ? before.value - now.value : now.value - before.value;
  const errors = [before.standardError, now.standardError];
  const spread = errors.includes(undefined) ? undefined : Math.hypot(...(errors as number[]));
  // 0 / 0 is no evidence, but a loss without any error of either figure could not be surer.
  const isKnown = spread !== undefined && (spread > 0 || (judging >= 3 && decay > 0));
  const z = isKnown ? { z: decay / spread } : {};
  const compared = { as: rule.compare, figure: now.value, against: before.value };
  if (rule.compare === 'absolute-decay') return { value: decay, compared, ...z };
  if (before.value <= 0) return nothingToLose(metric, rule, before.value, baseline?.performanceFrom);
  return { value: decay / before.value, compared, ...z };
}

function lookOf(rule: Rule, now: Evaluation, { value, z, compared }: Measured): Look {
  const noise = rule.guard !== undefined && 'noise' in rule.guard ? now.noise?.(rule.guard.noise) : undefined;
  const mood = breaches(value, rule) ? (evident(rule, now, noise, z) ? 'breach' : 'between') : mildness(value, rule);
  const more = { ...(compared === undefined ? {} : { compared }), ...(noise === undefined ? {} : { noise }) };
  return { mood, evaluation: now, value, ...more };
}

function evident({ guard }: Rule, now: Evaluation, noise: number | undefined, z: number | undefined): boolean {
  if (guard === undefined) return true;
  if ('noise' in guard) return noise !== undefined && now.value > noise;
  return 'z' in guard ? z !== undefined && z >= guard.z : now.p !== undefined;
}

const HOLDS: Readonly<Record<Rule['op'], (value: number, limit: number) => boolean>> = {
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
};

const breaches = (value: number, { op, limit }: Rule): boolean => HOLDS[op](value, limit);

/** To be clear a value has to lie beyond the limit for leaving: equality is still a breach of it. */
function mildness(value: number, { op, leave }: Rule): Mood {
  if (leave === undefined) return 'clear';
  return (op.startsWith('>') ? value < leave.limit : value > leave.limit) ? 'clear' : 'between';
}

type PGuard = Extract<NonNullable<Rule['guard']>, { p: number }>;

/** Breaches whose p does not stand up to the number of inputs looked at in this check become `between`. */
function corrected(looks: ReadonlyMap<string, Look>, guard: PGuard): ReadonlyMap<string, Look> {
  const most = largestP(
    [...looks.values()].flatMap(({ evaluation: { p } }) => (p === undefined ? [] : [p])),
    guard,
  );
  return new Map(
    [...looks].map(([variable, look]) => {
      const { p } = look.evaluation;
      const mood = look.mood === 'breach' && (p === undefined || p > most) ? 'between' : look.mood;
      return [variable, { ...look, mood, ...(p === undefined ? {} : { p }) }];
    }),
  );
}

/**
 * The largest p that counts as evidence among all that one check looked at; -1 when none does. Bonferroni: p ≤ α/m keeps the
 * chance of any false alarm below α; Benjamini and Hochberg (1995): the largest p(k) ≤ αk/m keeps their share below α.
 */
export function largestP(ps: readonly number[], { p: alpha, correct }: PGuard): number {
  if (correct === 'none') return alpha;
  if (correct === 'bonferroni') return alpha / Math.max(1, ps.length);
  return ps.toSorted((a, b) => a - b).findLast((p, index, all) => p <= (alpha * (index + 1)) / all.length) ?? -1;
}

/**
 * Whether a rule stands at the newest of these windows (oldest first; undefined: it could not be evaluated, which neither counts
 * nor resets). It begins when n of the newest m breach. Without a limit for leaving it ends with the first window that does
 * not; with one, once n of the newest m since it began are clear.
 */
export function stands({ periods, leave }: Lasting, moods: ReadonlyArray<Mood | undefined>): boolean {
  const known = moods.filter((mood) => mood !== undefined);
  if (moods.at(-1) === undefined) return false;
  if (leave === undefined) return known.at(-1) === 'breach' && reaches(known, 'breach', periods);
  let on = false;
  let since = 0;
  for (let at = 1; at <= known.length; at++) {
    const recent = known.slice(since, at);
    if (!reaches(recent, on ? 'clear' : 'breach', on ? leave.periods : periods)) continue;
    on = !on;
    since = at;
  }
  return on;
}

/** How many windows a rule looks at, and how it ends. */
type Lasting = {
  readonly periods?: { readonly n: number; readonly of: number } | undefined;
  readonly leave?: { readonly periods?: { readonly n: number; readonly of: number } | undefined } | undefined;
};

const reaches = (moods: readonly Mood[], mood: Mood, { n, of } = { n: 1, of: 1 }): boolean =>
  moods.slice(-of).filter((one) => one === mood).length >= n;

const MOST_EARLIER = 24;

/** How many earlier windows a policy has to see: some more than m, because those without evidence do not count. */
export function lookBack({ rules, segments = [] }: Pick<Policy, 'rules' | 'segments'>): number {
  const wanted = [...rules, ...segments].map(({ periods, leave }) =>
    leave !== undefined ? MOST_EARLIER : 2 * ((periods?.of ?? 1) - 1),
  );
  return Math.min(MOST_EARLIER, Math.max(0, ...wanted));
}

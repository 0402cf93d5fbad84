import type { Baseline, Verdict, WindowMetrics } from '@fairway/core';
import { metricOf } from '../metrics/registry.ts';
import { rangeOf } from '../policy/ranges.ts';
import type { Policy, Rule } from '../policy/schema.ts';
import type { LineChart, Point } from './line-chart.ts';
import { figure, percent } from './words.ts';

/** Windows of one model and environment, oldest first. */
type Performance = {
  readonly verdicts: readonly Verdict[];
  /** By version. */
  readonly baselines: ReadonlyMap<string, Baseline>;
  readonly policy: Policy | undefined;
};

type Series = {
  readonly title: string;
  /** Which of the two lines it is drawn as. */
  readonly style: LineChart['series'];
  readonly read: (metrics: WindowMetrics) => number | null | undefined;
  readonly held: (baseline: Baseline) => number | null | undefined;
};

const ofClasses = (name: 'accuracy' | 'balancedAccuracy', title: string, style: Series['style']): Series => ({
  title,
  style,
  read: ({ classification }) => classification?.[name],
  held: (baseline) => metricOf(name).held?.(baseline)?.value,
});

const ofNumbers = (name: 'mae' | 'rSquared', title: string, style: Series['style']): Series => ({
  title,
  style,
  read: ({ regression }) => regression?.[name],
  held: (baseline) => metricOf(name).held?.(baseline)?.value,
});

const ofEvents = (name: 'auc' | 'ks', title: string): Series => ({
  title,
  style: name,
  read: (metrics) => metrics[name],
  held: (baseline) => metricOf(name).held?.(baseline)?.value,
});

const SERIES = {
  auc: ofEvents('auc', 'AUC'),
  ks: ofEvents('ks', 'KS'),
  accuracy: ofClasses('accuracy', 'Accuracy', 'auc'),
  balancedAccuracy: ofClasses('balancedAccuracy', 'Balanced accuracy', 'ks'),
  mae: ofNumbers('mae', 'Mean absolute error', 'auc'),
  rSquared: ofNumbers('rSquared', 'R²', 'ks'),
} as const satisfies Readonly<Record<string, Series>>;
type SeriesName = keyof typeof SERIES;

/** What is charted of these windows: accuracy where a model predicts one of several classes, errors where it predicts a number, else the ranking. */
export function seriesOf(verdicts: readonly Verdict[]): readonly SeriesName[] {
  const { classification, regression } = verdicts.at(-1)?.metrics ?? {};
  if (classification !== undefined) return ['accuracy', 'balancedAccuracy'];
  return regression === undefined ? ['auc', 'ks'] : ['mae', 'rSquared'];
}

/** One figure over the windows, with the baseline of each version and the limit of the policy. */
export function performanceChart({ verdicts, baselines, policy }: Performance, series: SeriesName): LineChart {
  const { title, style, read, held }: Series = SERIES[series];
  const points = verdicts.map(({ window, state, metrics }): Point => {
    const reference = baselines.get(window.version);
    const baseline = (reference && held(reference)) ?? null;
    return {
      label: window.period,
      version: window.version,
      state,
      value: read(metrics) ?? null,
      interval: series === 'auc' ? metrics.aucInterval : null,
      baseline,
      limit: limitOf(policy, series, baseline),
    };
  });
  return {
    id: series,
    title,
    finding: findingOf(points, title, metricOf(series).better === 'lower'),
    series: style,
    bounds: rangeOf(series),
    points,
  };
}

/** Where the first alert rule of a metric speaks up, on the metric's own scale. */
function limitOf(policy: Policy | undefined, series: SeriesName, baseline: number | null): number | null {
  const rules = policy?.rules.filter(({ metric, severity }) => metric === series && severity === 'alert') ?? [];
  // Decay is a rise of an error, and a fall of everything else.
  const rises = metricOf(series).better === 'lower';
  const limits = rules.map((rule) => onScale(rule, baseline, rises)).filter((limit) => limit !== null);
  if (limits.length === 0) return null;
  return rises ? Math.min(...limits) : Math.max(...limits);
}

function onScale({ compare, limit }: Rule, baseline: number | null, rises: boolean): number | null {
  if (compare === 'value') return limit;
  if (baseline === null) return null;
  const decay = compare === 'relative-decay' ? baseline * limit : limit;
  return rises ? baseline + decay : baseline - decay;
}

function findingOf(points: readonly Point[], title: string, rises: boolean): string {
  const known = points.filter((point): point is Point & { value: number } => point.value !== null);
  const last = known.at(-1);
  if (last === undefined) return `${title} is not known yet: too few predictions are labelled.`;
  const change = last.baseline === null || last.baseline <= 0 ? undefined : last.value / last.baseline - 1;
  const against =
    change === undefined ? '' : `, ${percent(Math.abs(change))} ${change < 0 ? 'below' : 'above'} its baseline`;
  const worst = known.reduce(
    (one, point) => ((rises ? point.value > one.value : point.value < one.value) ? point : one),
    last,
  );
  const extreme = rises ? 'highest' : 'lowest';
  const was =
    worst === last ? '' : `; the ${extreme} was ${figure(worst.value)} in ${worst.label} (version ${worst.version})`;
  return `${title} is ${figure(last.value)} in ${last.label} (version ${last.version})${against}${was}.`;
}

import type { Baseline, Verdict } from '@fairway/core';
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

const TITLES = { auc: 'AUC', ks: 'KS' } as const;

/** AUC or KS over the windows, with the baseline of each version and the limit of the policy. */
export function performanceChart({ verdicts, baselines, policy }: Performance, series: 'auc' | 'ks'): LineChart {
  const points = verdicts.map(({ window, state, metrics }): Point => {
    const baseline = baselines.get(window.version)?.performance[series] ?? null;
    return {
      label: window.period,
      version: window.version,
      state,
      value: metrics[series],
      interval: series === 'auc' ? metrics.aucInterval : null,
      baseline,
      limit: limitOf(policy, series, baseline),
    };
  });
  return { id: series, title: TITLES[series], finding: findingOf(points, TITLES[series]), series, points };
}

/** Where the first alert rule of a metric speaks up, on the metric's own scale. */
function limitOf(policy: Policy | undefined, series: 'auc' | 'ks', baseline: number | null): number | null {
  const rules = policy?.rules.filter(({ metric, severity }) => metric === series && severity === 'alert') ?? [];
  const limits = rules.map((rule) => onScale(rule, baseline)).filter((limit) => limit !== null);
  return limits.length === 0 ? null : Math.max(...limits);
}

function onScale({ compare, limit }: Rule, baseline: number | null): number | null {
  if (compare === 'value') return limit;
  if (baseline === null) return null;
  return compare === 'relative-decay' ? baseline * (1 - limit) : baseline - limit;
}

function findingOf(points: readonly Point[], title: string): string {
  const known = points.filter((point): point is Point & { value: number } => point.value !== null);
  const last = known.at(-1);
  if (last === undefined) return `${title} is not known yet: too few predictions are labelled.`;
  const change = last.baseline === null || last.baseline <= 0 ? undefined : last.value / last.baseline - 1;
  const against =
    change === undefined ? '' : `, ${percent(Math.abs(change))} ${change < 0 ? 'below' : 'above'} its baseline`;
  const lowest = known.reduce((low, point) => (point.value < low.value ? point : low), last);
  const low =
    lowest === last ? '' : `; the lowest was ${figure(lowest.value)} in ${lowest.label} (version ${lowest.version})`;
  return `${title} is ${figure(last.value)} in ${last.label} (version ${last.version})${against}${low}.`;
}

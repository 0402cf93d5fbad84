import {
  type Baseline,
  canonicalJson,
  type Finding,
  hashFields,
  sha256,
  type VerdictState,
  type Window,
} from '@fairway/core';
import { totals } from '../metrics/counts.ts';
import type { Evaluation } from '../metrics/metric.ts';
import { type MetricName, metricOf } from '../metrics/registry.ts';
import { variableOf } from '../metrics/psi.ts';
import type { Policy, Rule } from '../policy/schema.ts';
import type { Judgement, WindowCounts } from '../ports.ts';
import { inputNames, windowMetrics } from './figures.ts';
import { findingMessage } from './wording.ts';

/** All that a verdict depends on. */
export type Evidence = {
  readonly window: Window;
  readonly counts: WindowCounts;
  /** Counts of the version's earlier windows, newest first, for rules that look at several periods. */
  readonly earlier: readonly WindowCounts[];
  readonly baseline: Baseline | undefined;
  readonly policy: Policy;
  /** Git blob id of the policy file. */
  readonly blob: string;
};

/**
 * Applies a policy to a window. Pure: the same evidence gives the same bytes (`canonicalJson`), whoever runs it, whenever.
 * Too little evidence is a verdict of its own, and never outweighs a rule that fired on what there is.
 */
export function judge({ window, counts, earlier, baseline, policy, blob }: Evidence): Judgement {
  const countsHash = sha256(canonicalJson({ counts, earlier, baseline: baseline ?? null }));
  const { state, findings } = assess({ counts, earlier, baseline, policy });
  return {
    id: hashFields([window.model, window.version, window.environment, window.start, blob, countsHash]).slice(0, 20),
    window,
    state,
    metrics: windowMetrics(counts, baseline, performanceKnown(counts, policy)),
    findings,
    policy: blob,
    counts: countsHash,
  };
}

/** The decision alone: what `fairway analyze` asks for, whose counts are never stored. */
export function assess({
  counts,
  earlier,
  baseline,
  policy,
}: Pick<Evidence, 'counts' | 'earlier' | 'baseline' | 'policy'>): Pick<Judgement, 'state' | 'findings'> {
  const judged = policy.rules.map((rule) => applyRule(rule, [counts, ...earlier], baseline, policy));
  const enoughRows = totals(counts).predictions >= policy.minimum.rows;
  const findings = enoughRows ? judged.flatMap((outcome) => outcome.findings) : [];
  const complete = enoughRows && judged.every(({ evaluated }) => evaluated);
  return { state: stateOf(findings, complete), findings };
}

function stateOf(findings: readonly Finding[], complete: boolean): VerdictState {
  if (findings.some(({ severity }) => severity === 'alert')) return 'alert';
  if (findings.length > 0) return 'warning';
  return complete ? 'healthy' : 'insufficient';
}

/** Labels reach the policy's coverage, and there are enough events to speak of performance. */
function performanceKnown(counts: WindowCounts, { period, minimum }: Policy): boolean {
  const { predictions, labelled, events } = totals(counts);
  return labelled > 0 && labelled >= period.coverageFloor * predictions && events >= minimum.events;
}

type Breach = { readonly evaluation: Evaluation; readonly value: number; readonly noise?: number };
/** undefined: cannot be evaluated; null: evaluated, not breached. */
type Outcome = Breach | null | undefined;

function applyRule(
  rule: Rule,
  windows: readonly WindowCounts[],
  baseline: Baseline | undefined,
  policy: Policy,
): { readonly evaluated: boolean; readonly findings: readonly Finding[] } {
  const [current, ...earlier] = windows;
  if (current === undefined) return { evaluated: false, findings: [] };
  const scopes = scopesOf(rule, current, baseline);
  const outcomes = scopes.map((variable) => [variable, outcomeIn(rule, variable, current, baseline, policy)] as const);
  const findings = outcomes.flatMap(([variable, outcome]) => {
    if (!outcome) return [];
    const before = earlier.filter((counts) => outcomeIn(rule, variable, counts, baseline, policy)).length;
    return before + 1 >= (rule.periods?.n ?? 1) ? [findingOf(rule, variable, outcome)] : [];
  });
  return { evaluated: outcomes.some(([, outcome]) => outcome !== undefined), findings };
}

function scopesOf(rule: Rule, counts: WindowCounts, baseline: Baseline | undefined): string[] {
  if (rule.scope === undefined) return [''];
  return rule.scope === 'each-input' ? inputNames(counts, baseline) : [rule.scope];
}

function outcomeIn(
  rule: Rule,
  variable: string,
  counts: WindowCounts,
  baseline: Baseline | undefined,
  policy: Policy,
): Outcome {
  const metric = metricOf(rule.metric);
  if (metric.needsLabels && !performanceKnown(counts, policy)) return undefined;
  const now = metric.evaluate(counts, baseline, variable);
  if (now === null || tooFewPerBin(rule.metric, variable, now, baseline, policy)) return undefined;
  const compared = compare(rule, now, baseline);
  if (compared === undefined) return undefined;
  const { value, z } = compared;
  const noise = rule.guard !== undefined && 'noise' in rule.guard ? now.noise?.(rule.guard.noise) : undefined;
  const evident =
    rule.guard === undefined ||
    ('noise' in rule.guard ? noise !== undefined && now.value > noise : z !== undefined && z >= rule.guard.z);
  return breaches(value, rule) && evident
    ? { evaluation: now, value, ...(noise === undefined ? {} : { noise }) }
    : null;
}

/** A histogram needs `rowsPerBin` rows per bin before its PSI says anything (monitoring reference §8). */
function tooFewPerBin(
  metric: MetricName,
  variable: string,
  now: Evaluation,
  baseline: Baseline | undefined,
  { minimum }: Policy,
): boolean {
  if (metric !== 'psi' && metric !== 'psiWithMissing') return false;
  return now.sample < minimum.rowsPerBin * (variableOf(baseline, variable)?.counts.length ?? 0);
}

/** The value the limit is held against; for decay, with its z. Positive decay = worse. */
function compare(
  rule: Rule,
  now: Evaluation,
  baseline: Baseline | undefined,
): { readonly value: number; readonly z?: number } | undefined {
  if (rule.compare === 'value') return { value: now.value };
  const metric = metricOf(rule.metric);
  const before = baseline === undefined ? null : (metric.held?.(baseline) ?? null);
  if (before === null) return undefined;
  const decay = metric.better === 'higher' ? before.value - now.value : now.value - before.value;
  const errors = [before.standardError, now.standardError];
  const spread = errors.includes(undefined) ? undefined : Math.hypot(...(errors as number[]));
  const z = spread === undefined || spread === 0 ? {} : { z: decay / spread };
  if (rule.compare === 'absolute-decay') return { value: decay, ...z };
  return before.value <= 0 ? undefined : { value: decay / before.value, ...z };
}

const HOLDS: Readonly<Record<Rule['op'], (value: number, limit: number) => boolean>> = {
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
};

const breaches = (value: number, { op, limit }: Rule): boolean => HOLDS[op](value, limit);

function findingOf(rule: Rule, variable: string, { evaluation, value, noise }: Breach): Finding {
  const finding = {
    rule: rule.id,
    metric: rule.metric,
    ...(variable === '' ? {} : { variable }),
    value,
    limit: rule.limit,
    op: rule.op,
    ...(noise === undefined ? {} : { noise }),
    sample: evaluation.sample,
    severity: rule.severity,
  };
  return { ...finding, message: findingMessage(rule, finding, evaluation) };
}

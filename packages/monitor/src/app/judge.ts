import {
  type Baseline,
  canonicalJson,
  type Finding,
  hashFields,
  sha256,
  type VerdictState,
  type Window,
} from '@fairway/core';
import { inapplicable } from '../policy/applies.ts';
import type { Policy, Rule } from '../policy/schema.ts';
import type { Judgement, WindowCounts } from '../ports.ts';
import { windowMetrics } from './figures.ts';
import { type By, type Look, lookAt, looksOf, type Seen, seen, stands } from './judge-rule.ts';
import { judgeSegments } from './judge-segments.ts';
import { JUDGING, type Judging } from './judging.ts';
import { isLack, type Lack, noneApplies, unanswered } from './unanswered.ts';
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
export function judge(
  { window, counts, earlier, baseline, policy, blob }: Evidence,
  judging: Judging = JUDGING,
): Judgement {
  const countsHash = sha256(canonicalJson({ counts, earlier, baseline: baseline ?? null }));
  const { state, findings, unanswered: open, segments } = assess({ counts, earlier, baseline, policy }, judging);
  return {
    id: hashFields([...idFields(window), blob, countsHash, ...(judging < 3 ? [] : [String(judging)])]).slice(0, 20),
    window,
    state,
    metrics: windowMetrics(counts, baseline, seen(counts, policy).performanceKnown),
    findings,
    ...(open === undefined || judging < 4 ? {} : { unanswered: open }),
    ...(segments === undefined ? {} : { segments }),
    policy: blob,
    counts: countsHash,
  };
}

const idFields = ({ model, version, environment, start }: Window): string[] => [model, version, environment, start];

/** The decision alone: what `fairway analyze` asks for, whose counts are never stored. */
export function assess(
  { counts, earlier, baseline, policy }: Pick<Evidence, 'counts' | 'earlier' | 'baseline' | 'policy'>,
  judging: Judging = JUDGING,
): Pick<Judgement, 'state' | 'findings' | 'unanswered' | 'segments'> {
  const current = seen(counts, policy);
  const before = earlier.map((one) => seen(one, policy)).reverse();
  const rules = policy.rules.filter((rule) => judging === 1 || inapplicable(rule, baseline) === undefined);
  const by: By = { baseline, policy, judging };
  const judged = rules.map((rule) => applyRule(rule, current, before, by));
  const bySegment = judgeSegments(current, before, by);
  const findings = [...judged.flatMap((outcome) => outcome.findings), ...bySegment.findings];
  const lacks = judged.flatMap(({ lack }, index) =>
    lack === undefined ? [] : [[rules[index]?.id ?? '', lack] as const],
  );
  const open = judged.length === 0 ? [noneApplies(policy)] : unanswered(lacks);
  return {
    state: stateOf(findings, open.length === 0),
    findings,
    ...(open.length === 0 ? {} : { unanswered: open }),
    ...(policy.segments === undefined ? {} : { segments: bySegment.segments }),
  };
}

function stateOf(findings: readonly Finding[], complete: boolean): VerdictState {
  if (findings.some(({ severity }) => severity === 'alert')) return 'alert';
  if (findings.length > 0) return 'warning';
  return complete ? 'healthy' : 'insufficient';
}

/** `lack`: why the rule could not be evaluated. */
type Outcome = { readonly lack?: Lack; readonly findings: readonly Finding[] };

/** `before`: earlier windows, oldest first. */
function applyRule(rule: Rule, current: Seen, before: readonly Seen[], by: By): Outcome {
  const now = lookAt(rule, current, by);
  if (isLack(now)) return { lack: now, findings: [] };
  const quiet = rule.leave === undefined && [...now.values()].every(({ mood }) => mood !== 'breach');
  const past = quiet ? [] : before.map((one) => looksOf(lookAt(rule, one, by)));
  const findings = [...now].flatMap(([variable, look]) => {
    const moods = [...past.map((looks) => looks.get(variable)?.mood), look.mood];
    return stands(rule, moods) ? [findingOf(rule, variable, look, by)] : [];
  });
  return { findings };
}

function findingOf(
  rule: Rule,
  variable: string,
  { evaluation, value, compared, noise, p, mood }: Look,
  by: By,
): Finding {
  const finding = {
    rule: rule.id,
    metric: rule.metric,
    ...(variable === '' ? {} : { variable }),
    value,
    limit: rule.limit,
    op: rule.op,
    ...(noise === undefined ? {} : { noise }),
    ...(p === undefined ? {} : { p }),
    ...(mood === 'breach' || rule.leave === undefined ? {} : { leave: rule.leave.limit }),
    ...(compared === undefined || by.judging < 4 ? {} : { compared }),
    sample: evaluation.sample,
    severity: rule.severity,
  };
  return { ...finding, message: findingMessage(rule, finding, evaluation, by) };
}

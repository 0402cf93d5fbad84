import type { Baseline, Finding, ScoreTable, VerdictState } from '@fairway/core';
import { assess } from '../app/judge.ts';
import { calibrationBins } from '../metrics/ece.ts';
import { labelledGroups, totals } from '../metrics/counts.ts';
import type { Evaluation } from '../metrics/metric.ts';
import { METRIC_NAMES, type MetricName, metricOf } from '../metrics/registry.ts';
import type { Policy } from '../policy/schema.ts';
import type { WindowCounts } from '../ports.ts';
import { contractFindings } from './contract.ts';
import { countsOf, heldOut } from './profile.ts';
import type { Tally } from './tally.ts';

/** A breached rule or a broken promise of the data. */
export type AnalysisFinding = Pick<Finding, 'rule' | 'value' | 'limit' | 'severity' | 'message'> & {
  readonly variable: string | null;
  readonly metric?: string;
  readonly op?: string;
  readonly noise?: number;
  readonly sample?: number;
};

type ByVariable<T> = Readonly<Record<string, T>>;

/** Everything said about one file. Figures that the rows cannot give are null. */
export type WindowAnalysis = {
  readonly name: string;
  readonly rows: number;
  readonly labelled: number;
  readonly eventRate: number | null;
  readonly auc: number | null;
  readonly aucInterval: readonly [low: number, high: number] | null;
  readonly ks: number | null;
  readonly gini: number | null;
  readonly psi: ByVariable<number | null>;
  readonly psiWithMissing: ByVariable<number | null>;
  readonly missing: ByVariable<number>;
  readonly verdict: VerdictState;
  readonly findings: readonly AnalysisFinding[];
  /** All metrics of the whole window, by name (docs/metrics.md). */
  readonly figures: ByVariable<number | null>;
  /** All metrics of each input, by variable, then by name; and what chance alone reaches in PSI (99 %). */
  readonly inputs: ByVariable<ByVariable<number | null>>;
  readonly psiNoise: ByVariable<number | null>;
  readonly counts: WindowCounts['variables'];
  /** Per tenth of the score: rows, sum of scores, events. */
  readonly calibration: ReadonlyArray<{ readonly rows: number; readonly scores: number; readonly events: number }>;
  /** What a reader should know and no rule speaks of. */
  readonly notes: readonly string[];
};

/** What windows are held against: the baseline, and the scores that performance decays from, with the name of their file. */
export type Reference = {
  readonly baseline: Baseline;
  readonly tally: Tally;
  readonly scores: ScoreTable | undefined;
  readonly scoresFrom: string | undefined;
};

const NORMAL_95 = 1.959964;

/** Profile, figures and verdict of one window. `earlier`: counts of the windows before it, newest first. */
export function analyzeWindow(
  name: string,
  tally: Tally,
  given: Reference,
  policy: Policy,
  cutoff: number,
  earlier: readonly WindowCounts[],
): { readonly window: WindowAnalysis; readonly counts: WindowCounts; readonly reference: Reference } {
  const counted = countsOf(tally, given.baseline, given.tally);
  const reference = given.scores === undefined ? adopt(given, name, counted.exact.scores) : given;
  const { baseline, scores } = reference;
  const counts = { ...counted, exact: { ...counted.exact, ...(scores === undefined ? {} : { reference: scores }) } };
  const judged = assess({ counts, earlier, baseline, policy });
  const contract = contractFindings(tally, baseline, given.tally);
  const findings = [...contract, ...judged.findings.map(({ variable = null, ...rest }) => ({ ...rest, variable }))];
  const verdict = worst([judged.state, ...contract.map(({ severity }) => severity)]);
  const figures = Object.fromEntries(
    METRIC_NAMES.filter((metric) => metricOf(metric).scope === 'window').map((metric) => [
      metric,
      metricOf(metric).evaluate(counts, baseline, '', { cutoff })?.value ?? null,
    ]),
  );
  const { labelled } = totals(counts);
  const window: WindowAnalysis = {
    name,
    rows: tally.rows,
    labelled,
    eventRate: figures['eventRate'] ?? null,
    auc: figures['auc'] ?? null,
    aucInterval: interval(metricOf('auc').evaluate(counts, baseline, '')),
    ks: figures['ks'] ?? null,
    gini: figures['gini'] ?? null,
    ...inputFigures(counts, baseline),
    verdict,
    findings,
    figures,
    counts: counts.variables,
    calibration: calibrationBins(labelledGroups(counts)),
    notes: notes(tally, reference, name, policy, judged.state),
  };
  return { window, counts, reference };
}

/** A baseline without scores: the first file with both classes is what later ones are measured against. */
function adopt(given: Reference, name: string, table: ScoreTable): Reference {
  const held = heldOut(table);
  if (held.performance.rows === 0) return given;
  return { ...given, baseline: { ...given.baseline, ...held }, scores: table, scoresFrom: name };
}

function inputFigures(
  counts: WindowCounts,
  baseline: Baseline,
): Pick<WindowAnalysis, 'psi' | 'psiWithMissing' | 'missing' | 'inputs' | 'psiNoise'> {
  const names = baseline.variables.map(({ name }) => name);
  const metrics = METRIC_NAMES.filter((metric) => metricOf(metric).scope === 'each-input');
  const found = names.map((name) => {
    const all = metrics.map((metric) => [metric, metricOf(metric).evaluate(counts, baseline, name)] as const);
    return [name, new Map<MetricName, Evaluation | null>(all)] as const;
  });
  const pick = (metric: MetricName) =>
    Object.fromEntries(found.map(([name, all]) => [name, all.get(metric)?.value ?? null]));
  return {
    psi: pick('psi'),
    psiWithMissing: pick('psiWithMissing'),
    missing: Object.fromEntries(found.map(([name, all]) => [name, all.get('missing')?.value ?? 0])),
    inputs: Object.fromEntries(
      found.map(([name, all]) => [
        name,
        Object.fromEntries([...all].map(([metric, one]) => [metric, one?.value ?? null])),
      ]),
    ),
    psiNoise: Object.fromEntries(found.map(([name, all]) => [name, all.get('psi')?.noise?.(0.99) ?? null])),
  };
}

function interval(auc: Evaluation | null): readonly [number, number] | null {
  if (auc?.standardError === undefined) return null;
  const reach = NORMAL_95 * auc.standardError;
  return [Math.max(0, auc.value - reach), Math.min(1, auc.value + reach)];
}

const ORDER: readonly VerdictState[] = ['healthy', 'insufficient', 'warning', 'alert'];

/** The verdict that must not be overlooked: alert, warning, insufficient, healthy. */
export const worst = (states: readonly VerdictState[]): VerdictState =>
  ORDER[Math.max(0, ...states.map((state) => ORDER.indexOf(state)))] ?? 'healthy';

function notes(tally: Tally, reference: Reference, name: string, policy: Policy, state: VerdictState): string[] {
  const { plan, rows, labels } = tally;
  const [nonEvents, events] = labels;
  const said: string[] = [];
  const { minimum, period } = policy;
  if (rows < minimum.rows)
    said.push(`${many(rows, 'row')}: the policy judges nothing below ${many(minimum.rows, 'row')}.`);
  if (plan.label !== undefined && nonEvents + events === 0)
    said.push(`No row has a label in ${plan.label.name}: performance is not known.`);
  else if (plan.label !== undefined && (nonEvents === 0 || events === 0)) {
    said.push(`All labels are ${events === 0 ? 0 : 1}: with one class only there is no AUC, KS, Gini or lift.`);
  } else if (plan.label !== undefined && nonEvents + events < period.coverageFloor * rows) {
    const share = Math.round((100 * (nonEvents + events)) / rows);
    said.push(
      `${share} % of the rows are labelled, below the ${period.coverageFloor * 100} % that the policy asks for: performance is shown, not judged.`,
    );
  } else if (plan.label !== undefined && events < minimum.events) {
    said.push(`${many(events, 'event')}: the policy judges performance from ${minimum.events} on.`);
  }
  if (reference.scoresFrom === name) {
    said.push(
      `The baseline has no scores of its own: performance and score drift are measured against ${name}, the first file that has both.`,
    );
  }
  if (state === 'insufficient' && said.length === 0) said.push('Not every rule of the policy could be evaluated.');
  return said;
}

const many = (n: number, what: string): string => `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;

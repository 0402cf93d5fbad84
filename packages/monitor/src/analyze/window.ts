import type { Baseline, Finding, Movement, ScoreTable, Segment, Unanswered, VerdictState } from '@fairway/core';
import { inputNames } from '../app/figures.ts';
import { lacksPerformance } from '../app/first-good.ts';
import { assess } from '../app/judge.ts';
import { unansweredSentence } from '../app/unanswered.ts';
import { classesOf } from '../metrics/class-counts.ts';
import { calibrationBins } from '../metrics/ece.ts';
import { labelledGroups, totals } from '../metrics/counts.ts';
import type { Evaluation } from '../metrics/metric.ts';
import { METRIC_NAMES, type MetricName, metricOf } from '../metrics/registry.ts';
import { inapplicable } from '../policy/applies.ts';
import type { Policy } from '../policy/schema.ts';
import type { WindowCounts } from '../ports.ts';
import { whatMoved } from '../moved/what-moved.ts';
import { adopt } from './adopt.ts';
import { contractFindings } from './contract.ts';
import type { SegmentTally } from './segments.ts';
import { countsOf, predictionBins } from './profile.ts';
import type { Tally } from './tally.ts';

/** A breached rule or a broken promise of the data. */
export type AnalysisFinding = Pick<Finding, 'rule' | 'value' | 'limit' | 'compared' | 'severity' | 'message'> & {
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
  /** Absent where every rule of the policy could be evaluated. */
  readonly unanswered?: readonly Unanswered[];
  /** All metrics of the whole window, by name (docs/metrics.md). */
  readonly figures: ByVariable<number | null>;
  /** All metrics of each input, by variable, then by name; and what chance alone reaches in PSI (99 %). */
  readonly inputs: ByVariable<ByVariable<number | null>>;
  /** All metrics of each class, by class, then by name. */
  readonly classes?: ByVariable<ByVariable<number | null>>;
  readonly psiNoise: ByVariable<number | null>;
  /** What moved against the baseline, strongest first. */
  readonly moved: readonly Movement[];
  readonly counts: WindowCounts['variables'];
  /** Per tenth of the score: rows, sum of scores, events. */
  readonly calibration: ReadonlyArray<{ readonly rows: number; readonly scores: number; readonly events: number }>;
  /** Where the model does worse than elsewhere, of the segments that were asked for. */
  readonly segments?: readonly Segment[];
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
/** An event is predicted from this score on, where nothing else is said. */
export const CUTOFF = 0.5;

type Asked = {
  readonly name: string;
  readonly tally: Tally;
  readonly given: Reference;
  readonly policy: Policy;
  readonly cutoff: number;
  /** Counts of the windows before, newest first, for rules that look at several. */
  readonly earlier: readonly WindowCounts[];
  readonly segments?: readonly SegmentTally[] | undefined;
};

type Answer = { readonly window: WindowAnalysis; readonly counts: WindowCounts; readonly reference: Reference };

/** Profile, figures and verdict of one window; `reference` is what the next one is held against. */
export function analyzeWindow({ name, tally, given, policy, cutoff, earlier, segments = [] }: Asked): Answer {
  const counted = countsOf(tally, given.baseline, given.tally);
  const contract = contractFindings(tally, given.baseline, given.tally);
  const isSound = contract.every(({ severity }) => severity !== 'alert');
  const reference = adopt(given, { name, tally, counts: counted, policy, isSound });
  const { baseline, scores } = reference;
  const counts = {
    ...counted,
    variables: { ...counted.variables, ...predictionBins(tally, baseline) },
    exact: { ...counted.exact, ...(scores === undefined ? {} : { reference: scores }) },
  };
  const judged = assess({ counts, earlier, baseline, policy });
  const window: WindowAnalysis = {
    name,
    ...windowFigures(counts, baseline, cutoff),
    ...inputFigures(counts, baseline),
    rows: tally.rows,
    verdict: worst([judged.state, ...contract.map(({ severity }) => severity)]),
    findings: [...contract, ...judged.findings.map(({ variable = null, ...rest }) => ({ ...rest, variable }))],
    ...(judged.unanswered === undefined ? {} : { unanswered: judged.unanswered }),
    moved: whatMoved(counts, baseline, earlier),
    counts: counts.variables,
    ...(segments.length === 0 ? {} : { segments: segments.flatMap((one) => one.worst(counts)) }),
    calibration: calibrationBins(labelledGroups(counts)),
    notes: notes(tally, reference, name, policy, judged.unanswered ?? []),
  };
  return { window, counts, reference };
}

/** All figures of a whole window. */
export function windowFigures(
  counts: WindowCounts,
  baseline: Baseline | undefined,
  cutoff: number,
): Pick<WindowAnalysis, 'labelled' | 'eventRate' | 'auc' | 'aucInterval' | 'ks' | 'gini' | 'figures' | 'classes'> {
  const names = METRIC_NAMES.filter((metric) => metricOf(metric).scope === 'window');
  const evaluate = (metric: MetricName) => metricOf(metric).evaluate(counts, baseline, '', { cutoff });
  const figures = Object.fromEntries(names.map((metric) => [metric, evaluate(metric)?.value ?? null]));
  return {
    labelled: totals(counts).labelled,
    eventRate: figures['eventRate'] ?? null,
    auc: figures['auc'] ?? null,
    aucInterval: interval(evaluate('auc')),
    ks: figures['ks'] ?? null,
    gini: figures['gini'] ?? null,
    figures,
    ...classFigures(counts, baseline),
  };
}

function classFigures(counts: WindowCounts, baseline: Baseline | undefined): Pick<WindowAnalysis, 'classes'> {
  const classes = classesOf(baseline);
  if (classes.length === 0) return {};
  const metrics = METRIC_NAMES.filter((metric) => metricOf(metric).scope === 'each-class');
  const of = (name: string) =>
    Object.fromEntries(
      metrics.map((metric) => [metric, metricOf(metric).evaluate(counts, baseline, name)?.value ?? null]),
    );
  return { classes: Object.fromEntries(classes.map((name) => [name, of(name)])) };
}

/** All figures of each input. */
export function inputFigures(
  counts: WindowCounts,
  baseline: Baseline | undefined,
): Pick<WindowAnalysis, 'psi' | 'psiWithMissing' | 'missing' | 'inputs' | 'psiNoise'> {
  const names = inputNames(counts, baseline);
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

function notes(
  tally: Tally,
  reference: Reference,
  name: string,
  policy: Policy,
  unanswered: readonly Unanswered[],
): string[] {
  const { rows, plan } = tally;
  const { minimum } = policy;
  const unmeasured = isUnmeasured(tally, reference.baseline);
  const said = [
    ...plan.lacks.map((column) => `${plan.file} has no column ${column}: what rests on it is not known.`),
    rows < minimum.rows && `${many(rows, 'row')}: the policy judges nothing below ${many(minimum.rows, 'row')}.`,
    plan.label !== undefined && labelNote(tally, plan.label.name, policy),
    reference.scoresFrom === name &&
      `The baseline has no scores of its own: performance and score drift are measured against ${name}, the first good file.`,
    unmeasured &&
      'The baseline has no scores of its own, and no file so far has rows and labels enough, without an alert, to measure a loss of performance against.',
  ].filter((sentence) => typeof sentence === 'string');
  const silent = policy.rules.map((rule) => inapplicable(rule, reference.baseline)).filter((one) => one !== undefined);
  // What the file lacks has been said of the file; what the reference lacks has not.
  const open = unanswered.filter(({ lacks }) => (lacks === 'reference' ? !unmeasured : said.length === 0));
  return [...said, ...open.map(unansweredSentence), ...silent];
}

/** There are scores and labels, but nothing says how well the model once did. */
const isUnmeasured = ({ plan, labels, classes }: Tally, baseline: Baseline): boolean =>
  (plan.score !== undefined || (classes?.plan.columns.length ?? 0) > 0) &&
  labels[0] + labels[1] > 0 &&
  lacksPerformance(baseline);

/** Why performance is not known, or not judged. */
function labelNote(
  { rows, labels, numbers, classes }: Tally,
  label: string,
  { minimum, period }: Policy,
): string | false {
  const [nonEvents, events] = labels;
  const labelled = nonEvents + events;
  if (labelled === 0) return `No row has a label in ${label}: performance is not known.`;
  const isAboutEvents = numbers === undefined && classes === undefined;
  if (isAboutEvents && (labelled === events || events === 0)) {
    return `All labels are ${events === 0 ? 0 : 1}: with one class only there is no AUC, KS, Gini or lift.`;
  }
  if (labelled < period.coverageFloor * rows) {
    const floor = Math.round(100 * period.coverageFloor);
    return `${Math.floor((100 * labelled) / rows)} % of the rows are labelled, below the ${floor} % that the policy asks for: performance is shown, not judged.`;
  }
  if (isAboutEvents && nonEvents < minimum.events && nonEvents < events)
    return `${many(nonEvents, 'non-event')}: the policy judges how events rank among them from ${minimum.events} on.`;
  const [known, what] = isAboutEvents ? [events, 'event'] : [labelled, 'labelled row'];
  return known < minimum.events && `${many(known, what)}: the policy judges performance from ${minimum.events} on.`;
}

const many = (n: number, what: string): string => `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;

import type { Baseline, VariableBaseline } from '@fairway/core';
import type { Predicts } from '../metrics/metric.ts';
import { isOf, METRIC_NAMES, type MetricName, metricOf } from '../metrics/registry.ts';
import { classesOf, predictedOf } from '../metrics/class-counts.ts';
import { lacksHeldOutScores, MOST_SCORED_CLASSES } from '../metrics/class-scores.ts';
import { segmentInputs } from '../metrics/segment-counts.ts';
import type { Policy, Rule, SegmentRule } from './schema.ts';

const NUMERIC_ONLY: ReadonlySet<MetricName> = new Set(['ksTwoSample', 'wasserstein', 'quantileDrift', 'outOfRange']);
const CATEGORY_ONLY: ReadonlySet<MetricName> = new Set(['newCategory']);
const MOST_NAMED = 20;
const MOST_ADVISED = 7;

/** What a policy asks of a model that its baseline cannot give, a sentence each; none when it fits. `name`: of what has the baseline. */
export function misfits(
  { rules, segments = [] }: Pick<Policy, 'rules' | 'segments'>,
  baseline: Baseline,
  name = `${baseline.model} version ${baseline.version}`,
): string[] {
  const { variables, classification } = baseline;
  const unfit = rules.flatMap((rule, index) => {
    const sentence =
      ofAnother(rule, baseline, name) ??
      (classification === undefined ? undefined : ofClasses(rule, name, classification.classes)) ??
      ofClassScores(rule, name, baseline) ??
      misfit(rule, name, variables);
    return sentence === undefined ? [] : [`rules[${index}].${sentence}.`];
  });
  return [
    ...unfit,
    ...segments.flatMap((rule, index) => unfitSegments(rule, baseline, name).map((one) => `segments[${index}].${one}`)),
  ];
}

/** Only what the recorder counts by, and of what the model predicts, can be asked for. */
function unfitSegments({ of, metric }: SegmentRule, baseline: Baseline, name: string): string[] {
  const known = segmentInputs(baseline).map((one) => one.name);
  const mend = 'state inputs with fairway baseline --segment; files are looked at with fairway analyze --segment';
  if (known.length === 0) return [`of cannot be answered: the baseline of ${name} counts by no segment; ${mend}.`];
  const predicts = predictedOf(baseline);
  if (!SEGMENT_METRICS[predicts].includes(metric)) {
    return [
      `metric ${metric} has no figure by segment: ${name} predicts ${WORDS[predicts][1]}; use ${SEGMENT_METRICS[predicts].join(' or ')}.`,
    ];
  }
  const unknown = (of ?? []).filter((one) => !known.includes(one));
  return unknown.map(
    (one) => `of has ${one}, by which the baseline of ${name} does not count; it counts by ${known.join(', ')}.`,
  );
}

const WORDS: Readonly<Record<Predicts, readonly [about: string, predicted: string]>> = {
  events: ['events', 'an event'],
  numbers: ['numbers', 'a number'],
  classes: ['several classes', 'one of several classes'],
};

const SEGMENT_METRICS: Readonly<Record<Predicts, ReadonlyArray<SegmentRule['metric']>>> = {
  events: ['auc', 'calibration'],
  numbers: ['mae'],
  classes: ['accuracy'],
};

/** undefined: the baseline does not say it, for it has no predictions. */
function predictedBy({ classification, regression, performance }: Baseline): Predicts | undefined {
  if (classification !== undefined) return 'classes';
  if (regression !== undefined) return 'numbers';
  return performance.rows > 0 ? 'events' : undefined;
}

/** A metric of models that predict something else. */
function ofAnother({ metric }: Rule, baseline: Baseline, name: string): string | undefined {
  const predicts = predictedBy(baseline);
  const [of = 'events', ...more] = metricOf(metric).of ?? [];
  if (of === 'classes' && more.length === 0 && predicts !== 'classes')
    return `metric ${metric} is about several classes, and the baseline of ${name} states none`;
  if (predicts === undefined || isOf(metric, predicts)) return undefined;
  const others = METRIC_NAMES.filter((one) => metricOf(one).scope === 'window' && isOf(one, predicts));
  return `metric ${metric} is about ${WORDS[of][0]}, but ${name} predicts ${WORDS[predicts][1]}; use ${others.slice(0, MOST_ADVISED).join(', ')}`;
}

function ofClasses({ metric, scope }: Rule, name: string, classes: readonly string[]): string | undefined {
  if (metricOf(metric).scope !== 'each-class' || scope === 'each-class' || classes.includes(scope ?? ''))
    return undefined;
  return `scope is ${scope}, which ${name} cannot predict; its classes are ${classes.slice(0, MOST_NAMED).join(', ')}`;
}

/** AUCs of classes need the probability of each of them, counted. */
function ofClassScores({ metric, compare }: Rule, name: string, baseline: Baseline): string | undefined {
  if (metric !== 'macroAuc' && metric !== 'classAuc') return undefined;
  const { length } = classesOf(baseline);
  if (length > MOST_SCORED_CLASSES)
    return `metric ${metric} is counted for ${MOST_SCORED_CLASSES} classes at most, and ${name} predicts one of ${length}; use accuracy or classRecall`;
  if (compare === 'value' || !lacksHeldOutScores(baseline)) return undefined;
  return `compare ${compare} cannot be answered: the baseline of ${name} holds no probabilities of its classes; make it again with fairway baseline, --score naming a column for each class`;
}

function misfit(
  { metric, scope, op, limit }: Rule,
  name: string,
  variables: readonly VariableBaseline[],
): string | undefined {
  if (metric === 'p1' || metric === 'p25') {
    const never = op.startsWith('>') && (op === '>' ? limit >= variables.length : limit > variables.length);
    return never
      ? `limit is impossible: ${name} has ${variables.length} inputs, so ${metric} ${op} ${limit} never holds`
      : undefined;
  }
  if (scope === undefined || scope === 'each-input' || metricOf(metric).scope !== 'each-input') return undefined;
  const variable = variables.find((one) => one.name === scope);
  if (variable === undefined) {
    const known = variables.slice(0, MOST_NAMED).map((one) => one.name);
    const more = variables.length > MOST_NAMED ? ` and ${variables.length - MOST_NAMED} more` : '';
    return `scope is ${scope}, which ${name} lacks; its inputs are ${known.join(', ')}${more}`;
  }
  return wrongKind(metric, variable);
}

function wrongKind(metric: MetricName, { kind, name }: VariableBaseline): string | undefined {
  if (kind === 'category' && NUMERIC_ONLY.has(metric))
    return `metric ${metric} is for numbers, but ${name} has categories`;
  if (kind === 'numeric' && CATEGORY_ONLY.has(metric))
    return `metric ${metric} is for categories, but ${name} is a number`;
  return undefined;
}

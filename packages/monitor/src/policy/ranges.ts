import { DEPTHS } from '../metrics/lift.ts';
import { type MetricName, metricOf } from '../metrics/registry.ts';

type Range = readonly [least: number, most: number];

const SHARE: Range = [0, 1];
const SIGNED: Range = [-1, 1];
const POSITIVE: Range = [0, Number.POSITIVE_INFINITY];

/** Where nothing is said: a share, from 0 to 1. */
const RANGES: Readonly<Partial<Record<MetricName, Range>>> = {
  gini: SIGNED,
  mcc: SIGNED,
  calibration: SIGNED,
  kappa: SIGNED,
  missingRise: SIGNED,
  rSquared: [Number.NEGATIVE_INFINITY, 1],
  ...Object.fromEntries(DEPTHS.map((depth) => [`lift${depth}`, [0, 100 / depth] as const])),
  logLoss: POSITIVE,
  scorePsi: POSITIVE,
  targetPsi: POSITIVE,
  mae: POSITIVE,
  rmse: POSITIVE,
  predictionPsi: POSITIVE,
  predictionDrift: POSITIVE,
  p1: POSITIVE,
  p25: POSITIVE,
  classBrier: [0, 2],
  classPsi: POSITIVE,
  classChiSquare: POSITIVE,
  psi: POSITIVE,
  psiWithMissing: POSITIVE,
  chiSquare: POSITIVE,
  wasserstein: POSITIVE,
  quantileDrift: POSITIVE,
};

/** What a metric's value can be. */
export const rangeOf = (name: MetricName): Range => RANGES[name] ?? SHARE;

type Limited = {
  readonly metric: MetricName;
  readonly compare: string;
  readonly op: '>' | '>=' | '<' | '<=';
  readonly limit: number;
  readonly leave?: { readonly limit: number } | undefined;
};

/** Limits that no value or every value breaches, and a limit for leaving that is no milder, as [key, sentence]. */
export function impossible(rule: Limited): Array<[key: string, sentence: string]> {
  const { metric, compare, op, limit, leave } = rule;
  const rises = op.startsWith('>');
  if (compare !== 'value' && !rises) {
    return [['op', `cannot be ${op} for ${compare}: decay is positive when the model got worse; use > or >=`]];
  }
  if (compare !== 'value' && limit < 0) {
    return [['limit', 'cannot be below 0: decay is positive when the model got worse']];
  }
  const [least, most] = comparedRange(metric, compare);
  const found: Array<[string, string]> = [];
  const never = rises
    ? limit > most || (op === '>' && limit === most)
    : limit < least || (op === '<' && limit === least);
  const always = rises
    ? limit < least || (op === '>=' && limit === least)
    : limit > most || (op === '<=' && limit === most);
  const what = compare === 'value' ? metric : `${compare} of ${metric}`;
  if (never || always) {
    found.push([
      'limit',
      `is impossible: ${what} lies ${words([least, most])}, so ${op} ${limit} ${never ? 'never' : 'always'} holds`,
    ]);
  }
  if (leave === undefined) return found;
  if (rises ? leave.limit > limit : leave.limit < limit) {
    found.push(['leave', `must have a limit milder than ${limit}, so ${rises ? 'at most' : 'at least'} that`]);
  } else if (rises ? leave.limit <= least : leave.limit >= most) {
    found.push(['leave', `has a limit that ${what} can never pass, so the rule would never end`]);
  }
  return found;
}

/** What its value, or its decay, can be. */
function comparedRange(name: MetricName, compare: string): Range {
  const [least, most] = rangeOf(name);
  if (compare === 'value') return [least, most];
  if (compare === 'absolute-decay') return [Number.NEGATIVE_INFINITY, most - least];
  // What is better high and never below 0 can lose no more than all of itself.
  const mostLost = metricOf(name).better === 'higher' && least === 0 ? 1 : Number.POSITIVE_INFINITY;
  return [Number.NEGATIVE_INFINITY, mostLost];
}

function words([least, most]: Range): string {
  if (!Number.isFinite(most)) return `from ${least} up`;
  return Number.isFinite(least) ? `from ${least} to ${most}` : `at ${most} or below`;
}

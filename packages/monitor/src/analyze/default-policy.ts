import { parsePolicy } from '../policy/parse.ts';
import { metricOf } from '../metrics/registry.ts';
import type { Policy } from '../policy/schema.ts';

const text = (
  minimum: string,
  performance: string,
): string => `# Realised performance decides; what moved among inputs and scores is a hint: it warns, it never alerts.
# A rule speaks up when the change is large enough to matter and larger than chance at this sample size.
apiVersion: fairway.dev/v1
kind: Policy
model: any
period: { every: quarter, coverageFloor: 0.8 } # performance is known once 80 % of the rows are labelled
minimum: { rows: 500, events: 100, rowsPerBin: 10 }${minimum}
rules:
${performance}
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
  # SAS's documented example for characteristics: more than two inputs have moved.
  - { id: broad-drift, metric: p1, op: '>', limit: 2, severity: warning }
  - { id: missing-rise, metric: missingRise, scope: each-input, op: '>=', limit: 0.05, guard: { noise: 0.999 }, severity: warning }
  - { id: out-of-range, metric: outOfRange, scope: each-input, op: '>=', limit: 0.02, guard: { noise: 0.999 }, severity: warning }
  - { id: new-category, metric: newCategory, scope: each-input, op: '>=', limit: 0.01, severity: warning }
notify: { on: [alert, recovered] }
`;

/** The rules that `fairway analyze` goes by where no policy is given, to be read and copied. */
export const DEFAULT_POLICY = text(
  '',
  `  # SAS's documented example for assessment: Gini lost more than 10 % of itself. z: 1 % by chance.
  - { id: gini-decay, metric: gini, compare: relative-decay, op: '>', limit: 0.1, guard: { z: 2.326 }, severity: alert }
  - { id: auc-slip, metric: auc, compare: relative-decay, op: '>=', limit: 0.03, guard: { z: 1.96 }, severity: warning }
  - { id: score-psi, metric: scorePsi, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
  - { id: constant-score, metric: constantScore, op: '>=', limit: 0.9, severity: warning }`,
);

/** The same for labels that are numbers. */
export const DEFAULT_NUMBER_POLICY = text(
  ' # events: labelled rows',
  `  # The mean error grew by more than 10 % of itself. z: 1 % by chance.
  - { id: error-rise, metric: mae, compare: relative-decay, op: '>', limit: 0.1, guard: { z: 2.326 }, severity: alert }
  - { id: prediction-psi, metric: predictionPsi, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }`,
);

/** SAS's example asks for more than two inputs; a policy whose rule can never hold is refused. */
const FEWEST_FOR_BROAD_DRIFT = 3;

/**
 * The default policy as it is printed, for a model of so many inputs: with fewer than three the rule on broad drift, which
 * could never hold, is a comment.
 */
export function defaultPolicyText({
  isNumber,
  isClasses = false,
  inputs,
}: {
  readonly isNumber: boolean;
  readonly isClasses?: boolean;
  readonly inputs?: number;
}): string {
  const policy = policyFor({ isNumber, isClasses });
  if (inputs === undefined || inputs >= FEWEST_FOR_BROAD_DRIFT) return policy;
  return policy.replace(/^ {2}- (\{ id: broad-drift,.*)$/m, `  # Left out, for there are not more than two: $1`);
}

/** The same for labels that are one of several classes. */
const DEFAULT_CLASS_POLICY = text(
  ' # events: labelled rows',
  `  # Accuracy lost more than 5 % of itself, or one class a tenth of its recall. z: 1 %, and 0.1 %, by chance.
  - { id: accuracy-decay, metric: accuracy, compare: relative-decay, op: '>', limit: 0.05, guard: { z: 2.326 }, severity: alert }
  - { id: class-recall, metric: classRecall, scope: each-class, compare: absolute-decay, op: '>=', limit: 0.1, guard: { z: 3.09 }, severity: warning }
  - { id: unknown-class, metric: unknownClass, op: '>=', limit: 0.01, severity: warning }
  - { id: class-psi, metric: classPsi, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }`,
);

const SCORE_METRICS: ReadonlySet<string> = new Set([
  'scorePsi',
  'constantScore',
  'meanScore',
  'cbpeAuc',
  'cbpeAccuracy',
  'predictionPsi',
  'classPsi',
]);

const policyFor = ({ isNumber = false, isClasses = false }: Pick<Columns, 'isNumber' | 'isClasses'>): string =>
  isClasses ? DEFAULT_CLASS_POLICY : isNumber ? DEFAULT_NUMBER_POLICY : DEFAULT_POLICY;

type Columns = {
  readonly score: boolean;
  readonly label: boolean;
  readonly isNumber?: boolean;
  readonly isClasses?: boolean;
};

/** The default rules that these columns can answer at all: without a score, performance is not what was asked for. */
export function defaultPolicy({ score, label, ...kind }: Columns): Policy {
  const policy = parsePolicy(policyFor(kind), 'any');
  const rules = policy.rules.filter(({ metric }) => {
    if (metricOf(metric).needsLabels) return score && label;
    return score || !SCORE_METRICS.has(metric);
  });
  return { ...policy, rules };
}

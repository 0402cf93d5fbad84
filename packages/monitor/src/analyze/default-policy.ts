import { parsePolicy } from '../policy/parse.ts';
import { metricOf } from '../metrics/registry.ts';
import type { Policy } from '../policy/schema.ts';

/** The rules that `fairway analyze` goes by where no policy is given, to be read and copied. */
export const DEFAULT_POLICY = `# Realised performance decides; what moved among inputs and scores is a hint: it warns, it never alerts.
# A rule speaks up when the change is large enough to matter and larger than chance at this sample size.
apiVersion: fairway.dev/v1
kind: Policy
model: any
period: { every: quarter, coverageFloor: 0.8 } # performance is known once 80 % of the rows are labelled
minimum: { rows: 500, events: 100, rowsPerBin: 10 }
rules:
  # SAS's documented example for assessment: Gini lost more than 10 % of itself. z: 1 % by chance.
  - { id: gini-decay, metric: gini, compare: relative-decay, op: '>', limit: 0.1, guard: { z: 2.326 }, severity: alert }
  - { id: auc-slip, metric: auc, compare: relative-decay, op: '>=', limit: 0.03, guard: { z: 1.96 }, severity: warning }
  - { id: score-psi, metric: scorePsi, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
  - { id: constant-score, metric: constantScore, op: '>=', limit: 0.9, severity: warning }
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
  # SAS's documented example for characteristics: more than two inputs have moved.
  - { id: broad-drift, metric: p1, op: '>', limit: 2, severity: warning }
  - { id: missing-rise, metric: missingRise, scope: each-input, op: '>=', limit: 0.05, guard: { noise: 0.999 }, severity: warning }
  - { id: out-of-range, metric: outOfRange, scope: each-input, op: '>=', limit: 0.02, guard: { noise: 0.999 }, severity: warning }
  - { id: new-category, metric: newCategory, scope: each-input, op: '>=', limit: 0.01, severity: warning }
notify: { on: [alert, recovered] }
`;

const SCORE_METRICS: ReadonlySet<string> = new Set([
  'scorePsi',
  'constantScore',
  'meanScore',
  'cbpeAuc',
  'cbpeAccuracy',
]);

/** The default rules that these columns can answer at all: without a score, performance is not what was asked for. */
export function defaultPolicy({ score, label }: { readonly score: boolean; readonly label: boolean }): Policy {
  const policy = parsePolicy(DEFAULT_POLICY, 'any');
  const rules = policy.rules.filter(({ metric }) => {
    if (metricOf(metric).needsLabels) return score && label;
    return score || !SCORE_METRICS.has(metric);
  });
  return { ...policy, rules };
}

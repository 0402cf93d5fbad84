import type { Baseline, VariableBaseline } from '@fairway/core';
import type { MetricName } from '../metrics/registry.ts';
import type { Policy, Rule } from './schema.ts';

const NUMERIC_ONLY: ReadonlySet<MetricName> = new Set(['ksTwoSample', 'wasserstein', 'quantileDrift', 'outOfRange']);
const CATEGORY_ONLY: ReadonlySet<MetricName> = new Set(['newCategory']);
const MOST_NAMED = 20;

/** What a policy asks of a model that its baseline cannot give, a sentence each; none when it fits. */
export function misfits({ rules }: Pick<Policy, 'rules'>, baseline: Baseline): string[] {
  return rules.flatMap((rule, index) => {
    const sentence = misfit(rule, baseline);
    return sentence === undefined ? [] : [`rules[${index}].${sentence}.`];
  });
}

function misfit({ metric, scope, op, limit }: Rule, { model, version, variables }: Baseline): string | undefined {
  const name = `${model} version ${version}`;
  if (metric === 'p1' || metric === 'p25') {
    const never = op.startsWith('>') && (op === '>' ? limit >= variables.length : limit > variables.length);
    return never
      ? `limit is impossible: ${name} has ${variables.length} inputs, so ${metric} ${op} ${limit} never holds`
      : undefined;
  }
  if (scope === undefined || scope === 'each-input') return undefined;
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

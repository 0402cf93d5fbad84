import type { Finding } from '@fairway/core';
import type { Evaluation } from '../metrics/metric.ts';
import { metricOf } from '../metrics/registry.ts';
import type { Rule } from '../policy/schema.ts';
import type { By } from './judge-rule.ts';

/** A finding in one sentence, with the numbers a person needs to believe it. A loss names the window that it is measured from, where the baseline cannot say it. */
export function findingMessage(
  rule: Rule,
  finding: Omit<Finding, 'message'>,
  evaluation: Evaluation,
  { baseline, judging }: Pick<By, 'baseline' | 'judging'>,
): string {
  const from = baseline?.performanceFrom;
  const { title, isRate, isCount, better } = metricOf(rule.metric);
  const rows = `${finding.sample.toLocaleString('en-US')} rows`;
  const shown = isRate ? percent : isCount && judging >= 4 ? String : figure;
  const now = shown(evaluation.value);
  const still = stillOn(rule, finding, rule.compare === 'relative-decay' ? percent : shown);
  const what = finding.variable === undefined ? title : `${title} of ${finding.variable}`;
  if (rule.compare !== 'value') {
    const [decay, limit] = [finding.value, rule.limit].map(rule.compare === 'relative-decay' ? percent : figure);
    const worse = better === 'higher' ? 'it lost' : 'it rose by';
    const then = from === undefined ? 'its baseline' : `${from}, its first good window`;
    return `${capital(what)} is ${now}: ${worse} ${decay} against ${then}, limit ${limit} (${rows})${still}.`;
  }
  const noise = finding.noise === undefined ? '' : `; chance alone reaches ${shown(finding.noise)}`;
  const chance = finding.p === undefined ? '' : `; p = ${finding.p.toPrecision(2)}`;
  const side = rule.op.startsWith('>') ? 'limit' : 'lower limit';
  return `${capital(what)} is ${now}, ${side} ${shown(rule.limit)} (${rows}${noise}${chance})${still}.`;
}

/** Why a rule speaks of a value within its limit: it spoke before, and its limit for leaving has not been passed for long enough. */
function stillOn({ op, leave }: Rule, finding: Omit<Finding, 'message'>, shown: (value: number) => string): string {
  if (finding.leave === undefined) return '';
  const { n, of } = leave?.periods ?? { n: 1, of: 1 };
  const long = of === 1 ? '' : ` in ${n} of ${of} windows`;
  return `, and the rule that it breached before ends ${op.startsWith('>') ? 'below' : 'above'} ${shown(finding.leave)}${long}`;
}

const figure = (value: number): string => value.toFixed(3);
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

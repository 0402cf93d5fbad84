import type { Baseline } from '@fairway/core';
import type { Tally } from './tally.ts';

/** A fault of the data itself, told as a finding: nothing else can be believed before it is mended. */
export type ContractFinding = {
  readonly rule: string;
  readonly variable: string | null;
  readonly value: number;
  readonly limit: 0;
  readonly severity: 'warning' | 'alert';
  readonly message: string;
};

/** What in a window breaks the promise of its baseline's columns. */
export function contractFindings(tally: Tally, baseline: Baseline, reference: Tally): ContractFinding[] {
  const { file } = tally.plan;
  const found: ContractFinding[] = [];
  for (const { name } of baseline.variables) {
    const one = tally.variables.get(name);
    const say = (rule: string, count: number, severity: ContractFinding['severity'], message: string) => {
      if (count > 0) found.push({ rule, variable: name, value: count / tally.rows, limit: 0, severity, message });
    };
    if (one === undefined) {
      say('missing-column', tally.rows, 'alert', `${file} has no column ${name}, which the baseline has.`);
      continue;
    }
    const first = one.first === undefined ? '' : ` (first in line ${one.first.line}: ${quoted(one.first.text)})`;
    if (one.kind === 'numeric') {
      const what = decimalComma(one.first?.text) ? ': numbers with a decimal comma are not read' : '';
      say(
        'not-a-number',
        one.invalid,
        'warning',
        `${cells(one.invalid)} of ${name} ${one.invalid === 1 ? 'is no finite number' : 'are no finite numbers'}${first}${what}.`,
      );
      continue;
    }
    const before = reference.variables.get(name);
    if (before?.kind === 'category' && before.padded === 0) {
      say(
        'padded-category',
        one.padded,
        'warning',
        `${cells(one.padded)} of ${name} ${one.padded === 1 ? 'is' : 'are'} padded with blanks${first}, unlike the baseline's: whatever compares them as text takes them for new.`,
      );
    }
  }
  return [...found, ...scoreFindings(tally)];
}

function scoreFindings({ plan, rows, invalidScores, firstInvalidScore, unscored }: Tally): ContractFinding[] {
  const { score } = plan;
  if (score === undefined) return [];
  const findings: ContractFinding[] = [];
  const say = (rule: string, count: number, message: string) => {
    if (count === 0) return;
    findings.push({ rule, variable: score.name, value: count / rows, limit: 0, severity: 'warning', message });
  };
  const first = firstInvalidScore;
  say(
    'invalid-score',
    invalidScores,
    `${cells(invalidScores)} of ${score.name} ${invalidScores === 1 ? 'is no probability' : 'are no probabilities'} from 0 to 1 (first in line ${first?.line}: ${quoted(first?.text ?? '')}); these rows count as not scored.`,
  );
  const empty = unscored.reduce((sum, count) => sum + count, 0) - invalidScores;
  say('missing-score', empty, `${cells(empty)} of ${score.name} ${empty === 1 ? 'is' : 'are'} missing.`);
  return findings;
}

const cells = (n: number): string => `${n.toLocaleString('en-US')} ${n === 1 ? 'cell' : 'cells'}`;
const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
const decimalComma = (text: string | undefined): boolean => text !== undefined && /^-?\d+,\d+$/.test(text);

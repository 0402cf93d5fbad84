import type { Baseline } from '@fairway/core';
import type { CategoryTally, NumericTally, Sight, Tally } from './tally.ts';

/** A fault of the data itself, told as a finding: nothing else can be believed before it is mended. */
export type ContractFinding = {
  readonly rule: string;
  readonly variable: string | null;
  /** Share of the rows. */
  readonly value: number;
  readonly limit: 0;
  readonly severity: 'warning' | 'alert';
  readonly message: string;
};

/** What in a window breaks the promise of its baseline's columns. */
export function contractFindings(tally: Tally, baseline: Baseline, reference: Tally): ContractFinding[] {
  const found = baseline.variables.map(({ name }) => {
    const one = tally.variables.get(name);
    if (one === undefined) return missingColumn(tally, name);
    return one.kind === 'numeric' ? notNumbers(tally, name, one) : padded(tally, name, one, reference);
  });
  return [...found, invalidScores(tally), missingScores(tally), missingClasses(tally)].filter(
    (one) => one !== undefined,
  );
}

function missingColumn({ plan }: Tally, name: string): ContractFinding {
  const message = `${plan.file} has no column ${name}, which the baseline has.`;
  return { rule: 'missing-column', variable: name, value: 1, limit: 0, severity: 'alert', message };
}

function notNumbers({ rows }: Tally, name: string, { invalid, first }: NumericTally): ContractFinding | undefined {
  if (invalid === 0) return undefined;
  const comma = first !== undefined && /^-?\d+,\d+$/.test(first.text);
  const advice = comma ? ': write the decimal point as a point' : '';
  const what = invalid === 1 ? 'is no finite number' : 'are no finite numbers';
  const message = `${cells(invalid)} of ${name} ${what}${seen(first)}${advice}.`;
  return { rule: 'not-a-number', variable: name, value: invalid / rows, limit: 0, severity: 'warning', message };
}

function padded({ rows }: Tally, name: string, one: CategoryTally, reference: Tally): ContractFinding | undefined {
  const before = reference.variables.get(name);
  if (one.padded === 0 || before?.kind !== 'category' || before.padded > 0) return undefined;
  const what = one.padded === 1 ? 'is padded' : 'are padded';
  const message = `${cells(one.padded)} of ${name} ${what} with blanks${seen(one.first)}, unlike the baseline's: whatever compares them as text takes them for new.`;
  return { rule: 'padded-category', variable: name, value: one.padded / rows, limit: 0, severity: 'warning', message };
}

function invalidScores({
  plan,
  rows,
  numbers,
  invalidScores: invalid,
  firstInvalidScore,
}: Tally): ContractFinding | undefined {
  if (plan.score === undefined || invalid === 0) return undefined;
  const { name } = plan.score;
  const [one, many] =
    numbers === undefined
      ? ['is no probability from 0 to 1', 'are no probabilities from 0 to 1']
      : ['is no finite number', 'are no finite numbers'];
  const what = invalid === 1 ? one : many;
  const message = `${cells(invalid)} of ${name} ${what}${seen(firstInvalidScore)}; rows with them count as not scored.`;
  return { rule: 'invalid-score', variable: name, value: invalid / rows, limit: 0, severity: 'warning', message };
}

function missingScores({ plan, rows, missingScores: missing }: Tally): ContractFinding | undefined {
  if (plan.score === undefined || missing === 0) return undefined;
  const { name } = plan.score;
  const message = `${cells(missing)} of ${name} ${missing === 1 ? 'is' : 'are'} missing: these rows are not scored.`;
  return { rule: 'missing-score', variable: name, value: missing / rows, limit: 0, severity: 'warning', message };
}

function missingClasses({ classes, rows, missingScores: missing }: Tally): ContractFinding | undefined {
  if (classes === undefined || missing === 0) return undefined;
  const name = classes.plan.columns.map((one) => one.name).join(', ');
  const message = `${missing.toLocaleString('en-US')} of the rows name${missing === 1 ? 's' : ''} no known class in ${name}.`;
  return { rule: 'missing-score', variable: name, value: missing / rows, limit: 0, severity: 'warning', message };
}

const cells = (n: number): string => `${n.toLocaleString('en-US')} ${n === 1 ? 'cell' : 'cells'}`;
const seen = (first: Sight | undefined): string =>
  first === undefined ? '' : ` (first in line ${first.line}: ${JSON.stringify(first.text.slice(0, 40))})`;

import { FairwayError, type ModelVersion, type Window } from '@fairway/core';
import type { PeriodLength } from '../policy/schema.ts';
import { periodAt } from './periods.ts';

/** What one row of tables is about: SAS Model Manager compares its tables with its first one. */
export type Series = Pick<Window, 'model' | 'version' | 'environment'>;

/** A column of a performance table, and the cell it is read from. */
export type SasColumn = {
  readonly name: string;
  readonly type: 'double precision' | 'varchar';
  readonly from:
    | { readonly kind: 'input' | 'output'; readonly name: string }
    | { readonly kind: 'score' }
    /** `event` null: the target is a number. */
    | { readonly kind: 'label'; readonly event: string | null };
};

/** PostgreSQL cuts longer names, silently. */
const MOST_BYTES = 63;

/** The setting's prefix, then model, version and environment without what is no letter or digit: an underscore would end it. */
export function seriesPrefix(prefix: string, { model, version, environment }: Series): string {
  const plain = (text: string) => text.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  return `${plain(prefix)}${plain(model)}V${plain(version)}${plain(environment)}`;
}

/** `{prefix}_{sequence}_{label}`; the label is the period without signs, such as `2026Q3`. Throws where it is too long. */
export function tableName(prefix: string, sequence: number, period: string): string {
  const name = `${prefix}_${sequence}_${period.replaceAll(/[^A-Za-z0-9]/g, '')}`;
  return fitting(name, 'The table name');
}

function fitting(name: string, what: string): string {
  const bytes = Buffer.byteLength(name);
  if (bytes <= MOST_BYTES) return name;
  throw new FairwayError(
    'input.invalid',
    `${what} ${JSON.stringify(name)} has ${bytes} bytes, and PostgreSQL keeps ${MOST_BYTES}: shorten the prefix or the name.`,
  );
}

/** The training data's table, the first one: what SAS Model Manager compares the others with. */
export const BASELINE = { sequence: 1, period: 'Baseline' } as const;
/** The first period's, which leaves the baseline its place. */
export const FIRST_PERIOD = 2;

/** One more for each period since the first one, also where a period in between has no table. */
export function sequenceOf(every: PeriodLength, first: { start: string; sequence: number }, start: string): number {
  let { sequence } = first;
  for (let at = first.start; at < start; at = periodAt(every, at).end) sequence += 1;
  return sequence;
}

/**
 * All inputs, the target, and the outputs under their declared names. Throws where two columns are the same to SAS, which
 * knows no case, or a name does not fit.
 */
export function sasColumns({ model, version, variables, target }: ModelVersion): SasColumn[] {
  const of = (role: 'input' | 'output') => variables.filter((one) => one.role === role);
  const numeric = (type: string) => (type === 'decimal' ? 'double precision' : 'varchar');
  const outputs = of('output').filter(({ name }) => name !== target.probability);
  const columns: SasColumn[] = [
    ...of('input').map(({ name, type }) => ({ name, type: numeric(type), from: { kind: 'input', name } }) as const),
    targetColumn(target),
    { name: target.probability, type: 'double precision', from: { kind: 'score' } },
    ...outputs.map(({ name, type }) => ({ name, type: numeric(type), from: { kind: 'output', name } }) as const),
  ];
  const known = new Map<string, string>();
  for (const { name } of columns) {
    fitting(name, `Variable of ${model} v${version}:`);
    const other = known.get(name.toLowerCase());
    if (other !== undefined) {
      throw new FairwayError(
        'input.invalid',
        `${model} v${version} declares ${JSON.stringify(other)} and ${JSON.stringify(name)}: to SAS one column. Rename one of inputs, target and outputs.`,
      );
    }
    known.set(name.toLowerCase(), name);
  }
  return columns;
}

/** A target whose event is 1 is a number, 0 otherwise; any other event stands as it is declared, and NOT_ before it. */
function targetColumn({ variable, event, level }: ModelVersion['target']): SasColumn {
  if (level === 'interval') return { name: variable, type: 'double precision', from: { kind: 'label', event: null } };
  const type = event === '1' ? 'double precision' : 'varchar';
  return { name: variable, type, from: { kind: 'label', event } };
}

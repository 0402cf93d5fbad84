import type { ModelVersion, Snapshot } from '@fairway/core';
import { escapeIdentifier, escapeLiteral } from 'pg';
import type { SnapshotBounds } from '../ports.ts';

type Column = Snapshot['columns'][number];

/** Columns of a snapshot: `id, time, version, <inputs…>, <event probability>, <target>`. */
export function snapshotColumns({ variables, target }: ModelVersion): Column[] {
  const inputs = variables.filter(({ role }) => role === 'input');
  return [
    { name: 'id', type: 'string' },
    { name: 'time', type: 'timestamp' },
    { name: 'version', type: 'string' },
    ...inputs.map(({ name, type }): Column => ({ name, type: type === 'decimal' ? 'number' : 'string' })),
    { name: target.probability, type: 'number' },
    { name: target.variable, type: 'number' },
  ];
}

/** The labelled rows of the bounds; `beside` joins the table `p`. COPY takes no parameters, so literals are escaped here. */
export function snapshotRows({ model, version, environment, start, end }: SnapshotBounds, beside = ''): string {
  const [m, v, e, from, to] = [model, version, environment, start, end].map(escapeLiteral);
  return `from monitoring.predictions as p${beside} where p.model = ${m} and p.version = ${v} and p.environment = ${e} and p.time >= ${from} and p.time < ${to} and p.label >= 0`;
}

/** One row per labelled prediction, by time and id: the same rows always give the same text. Missing cells are null. */
export function snapshotQuery(bounds: SnapshotBounds, modelVersion: ModelVersion): string {
  const inputs = modelVersion.variables.filter(({ role }) => role === 'input').map(({ name }) => name);
  const cells = [
    'p.id',
    `to_char(p.time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as time`,
    'p.version',
    ...inputs.map((name) => `${inputCell(name)} as ${escapeIdentifier(name)}`),
    `p.score as ${escapeIdentifier(modelVersion.target.probability)}`,
    `p.label as ${escapeIdentifier(modelVersion.target.variable)}`,
  ];
  const record = inputs.filter(isColumn).map((name) => `${escapeIdentifier(name)} text`);
  const cut = record.length === 0 ? '' : ` cross join lateral json_to_record(p.inputs) as c(${record.join(', ')})`;
  return `select ${cells.join(', ')} ${snapshotRows(bounds, cut)} order by p.time, p.id collate "C"`;
}

/** PostgreSQL cuts longer identifiers; a name that begins with $ is spelled otherwise in the view. */
const isColumn = (name: string): boolean => Buffer.byteLength(name) <= 63 && !name.startsWith('$');

const BLANKS = String.raw`E' \t\r\n'`;

/**
 * What `monitoring.input_cell` says. That function reads the whole JSON for each cell; json_to_record reads it once for all of
 * them, so only what it cannot tell (a tagged value, an odd name) is left to the function.
 */
function inputCell(name: string): string {
  const exact = `monitoring.input_cell(p.inputs, ${escapeLiteral(name)})`;
  if (!isColumn(name)) return exact;
  const cell = `c.${escapeIdentifier(name)}`;
  const trimmed = `btrim(${cell}, ${BLANKS})`;
  return `case when ${trimmed} in ('', '.', 'NA', 'NaN', 'nan') then null when starts_with(${cell}, '{') then ${exact} else ${trimmed} end`;
}

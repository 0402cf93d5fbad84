import type { ModelVersion, Snapshot } from '@fairway/core';
import { escapeIdentifier, escapeLiteral } from 'pg';
import type { SnapshotBounds } from '../ports.ts';

type Column = Snapshot['columns'][number];
/** Names of the classes of a model that predicts one of several. */
type Classes = readonly string[] | undefined;

/** Columns of a snapshot: `id, time, version, <inputs…>, <event probability>, <target>`; of several classes, the names of the predicted and the true one. */
export function snapshotColumns({ variables, target }: ModelVersion, classes?: Classes): Column[] {
  const outcome = classes === undefined ? 'number' : 'string';
  const inputs = variables.filter(({ role }) => role === 'input');
  return [
    { name: 'id', type: 'string' },
    { name: 'time', type: 'timestamp' },
    { name: 'version', type: 'string' },
    ...inputs.map(({ name, type }): Column => ({ name, type: type === 'decimal' ? 'number' : 'string' })),
    { name: target.probability, type: outcome },
    { name: target.variable, type: outcome },
  ];
}

/** The labelled rows of the bounds; `beside` joins the table `p`. COPY takes no parameters, so literals are escaped here. */
export function snapshotRows({ model, version, environment, start, end }: SnapshotBounds, beside = ''): string {
  const [m, v, e, from, to] = [model, version, environment, start, end].map(escapeLiteral);
  return `from monitoring.predictions as p${beside} where p.model = ${m} and p.version = ${v} and p.environment = ${e} and p.time >= ${from} and p.time < ${to} and p.truth is not null`;
}

/** One row per labelled prediction, by time and id: the same rows always give the same text. Missing cells are null. */
export function snapshotQuery(bounds: SnapshotBounds, modelVersion: ModelVersion, classes?: Classes): string {
  const inputs = modelVersion.variables.filter(({ role }) => role === 'input').map(({ name }) => name);
  const cells = [
    'p.id',
    `to_char(p.time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as time`,
    'p.version',
    ...inputs.map((name) => `${inputCell(name)} as ${escapeIdentifier(name)}`),
    `${className('p.score', classes)} as ${escapeIdentifier(modelVersion.target.probability)}`,
    `${className('p.truth', classes)} as ${escapeIdentifier(modelVersion.target.variable)}`,
  ];
  const record = inputs.filter(isColumn).map((name) => `${escapeIdentifier(name)} text`);
  const cut = record.length === 0 ? '' : ` cross join lateral json_to_record(p.inputs) as c(${record.join(', ')})`;
  return `select ${cells.join(', ')} ${snapshotRows(bounds, cut)} order by p.time, p.id collate "C"`;
}

/** Indices as names; below 0 stand numbers, and far above keys of names, that the baseline lacks (app/class-answer.ts). */
function className(column: string, classes: Classes): string {
  if (classes === undefined) return column;
  const known = classes.map((name, index) => `when ${index} then ${escapeLiteral(name)}`).join(' ');
  const named = `(select n.name from monitoring.class_names n where n.key = ${column})`;
  return `case ${column} ${known} else coalesce(${named}, (-1 - ${column})::text) end`;
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

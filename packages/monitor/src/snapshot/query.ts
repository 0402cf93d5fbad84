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

/** The labelled rows of the bounds. COPY takes no parameters, so literals are escaped here. */
export function snapshotRows({ model, version, environment, start, end }: SnapshotBounds): string {
  const [m, v, e, from, to] = [model, version, environment, start, end].map(escapeLiteral);
  return `from monitoring.predictions where model = ${m} and version = ${v} and environment = ${e} and time >= ${from} and time < ${to} and label >= 0`;
}

/** One row per labelled prediction, by time and id: the same rows always give the same text. Missing cells are null. */
export function snapshotQuery(bounds: SnapshotBounds, modelVersion: ModelVersion): string {
  const inputs = modelVersion.variables.filter(({ role }) => role === 'input');
  const cells = [
    'id',
    `to_char(time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as time`,
    'version',
    // Missing as `@fairway/core` says it: absent, null, or one of its texts after trimming.
    ...inputs.map(({ name }) => `monitoring.input_cell(inputs, ${escapeLiteral(name)}) as ${escapeIdentifier(name)}`),
    `score as ${escapeIdentifier(modelVersion.target.probability)}`,
    `label as ${escapeIdentifier(modelVersion.target.variable)}`,
  ];
  return `select ${cells.join(', ')} ${snapshotRows(bounds)} order by predictions.time, predictions.id collate "C"`;
}

import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { FairwayError } from '@fairway/core';
import { escapeIdentifier, type PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { BASELINE, type SasColumn, type Series } from '../app/sas-names.ts';
import type { SasCells, TrainingRows } from '../app/sas-rows.ts';
import { copyRows, type CopyRows } from './copy-rows.ts';
import { sqlState } from './database.ts';

/** The schema and its list of tables, as SQL writes them. */
export type Place = { readonly place: string; readonly catalog: string };

type Named = Series & { readonly name: string };

/**
 * Inside a transaction: the table, every row of the data, and its line in the list. Whoever makes the baseline of the same
 * series meanwhile waits; false, with nothing read, where there is one.
 */
export async function makeBaseline(
  client: PoolClient,
  { place, catalog }: Place,
  table: Named,
  columns: readonly SasColumn[],
  data: TrainingRows,
): Promise<boolean> {
  const { name, model, version, environment } = table;
  const series = [model, version, environment];
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`sas ${series.join('/')}`]);
  const known = `select 1 from ${catalog} where model = $1 and version = $2 and environment = $3 and source is not null`;
  if ((await client.query(known, series)).rowCount) return false;
  const full = `${place}.${escapeIdentifier(name)}`;
  await requireFree(client, full, table);
  await createTable(client, full, columns);
  await copyAll(client, full, columns, data);
  const { rows, labelled, source } = data.found();
  await client.query(
    `insert into ${catalog} (name, model, version, environment, period, sequence, rows, labelled, source)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [name, ...series, BASELINE.period, BASELINE.sequence, rows, labelled, source],
  );
  return true;
}

/** Throws where a table of that name is there. */
export async function requireFree(client: PoolClient, full: string, table: Named): Promise<void> {
  const { rows: taken } = await client.query<{ is: boolean }>('select to_regclass($1) is not null as is', [full]);
  if (!taken[0]?.is) return;
  const { name, model, version, environment } = table;
  throw new FairwayError(
    'input.invalid',
    `There is a table ${name} already that was not made for ${model} v${version} in ${environment}: choose another prefix. Nothing is replaced.`,
  );
}

export async function createTable(client: PoolClient, full: string, columns: readonly SasColumn[]): Promise<void> {
  const definitions = columns.map(({ name, type }) => `${escapeIdentifier(name)} ${type}`);
  await client.query(`create table ${full} (${definitions.join(', ')})`);
}

/** Holds one piece of the body and one of the COPY, whatever comes. */
async function copyAll(
  client: PoolClient,
  full: string,
  columns: readonly SasColumn[],
  { batches }: TrainingRows,
): Promise<void> {
  const rows = copyRows(columns.length);
  const names = columns.map(({ name }) => escapeIdentifier(name));
  const into = client.query(copyFrom(`copy ${full} (${names.join(', ')}) from stdin (format binary)`));
  const done = finished(into);
  // Looked at below; a failure meanwhile has somebody to hear it.
  done.catch(() => {});
  try {
    for await (const batch of batches) {
      for (const cells of batch) writeRow(rows, columns, cells);
      if (rows.isFull && !into.write(rows.take())) await Promise.race([once(into, 'drain'), done]);
    }
    into.end(rows.end());
    await done;
  } catch (error) {
    // Ends the COPY, so that the connection can be rolled back and used again.
    into.destroy(error as Error);
    await done.catch(() => {});
    throw asInput(error);
  }
}

function writeRow(rows: CopyRows, columns: readonly SasColumn[], cells: SasCells): void {
  rows.begin();
  columns.forEach(({ type }, index) => {
    const cell = cells[index] ?? null;
    if (type === 'varchar') rows.text(cell as string | null);
    else rows.float8(cell as number | null);
  });
}

/** SQLSTATE class 22: what PostgreSQL does not take, such as a text with a zero byte. */
function asInput(error: unknown): unknown {
  if (!sqlState(error)?.startsWith('22')) return error;
  return new FairwayError('input.invalid', `PostgreSQL does not take the training data: ${(error as Error).message}.`);
}

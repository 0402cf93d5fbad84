import { iso } from '@fairway/core';
import { escapeIdentifier, escapeLiteral, type Pool, type PoolClient } from 'pg';
import type { SasColumn } from '../app/sas-names.ts';
import type { SasStore, SasTable } from '../app/sas-tables.ts';
import { withTransaction } from './database.ts';
import { createTable, makeBaseline, type Place, requireFree } from './sas-baseline.ts';

/** Lists the tables; its name has no sequence, so SAS takes it for none of them. */
const CATALOG = 'fairway_catalog';
/** `FWST` in ASCII: one process makes a table, the others wait and find it. */
const LOCK = 0x46_57_53_54;
/** A number that a double holds; checked as text first, then as a number of any size, and only then cast. */
const NUMBER = String.raw`^[+-]?([0-9]{1,255}([.][0-9]{0,255})?|[.][0-9]{1,255})([eE][+-]?[0-9]{1,3})?$`;

/** Performance tables in a schema of their own, which is made when the first table is. */
export function sasTables(pool: Pool, schema: string): SasStore {
  const place = escapeIdentifier(schema);
  const catalog = `${place}.${escapeIdentifier(CATALOG)}`;
  return {
    made: async (model) => {
      const { rows: at } = await pool.query<{ is: boolean }>('select to_regclass($1) is not null as is', [catalog]);
      if (!at[0]?.is) return [];
      const { rows } = await pool.query<CatalogRow>(
        // A table from before there were baselines has no source.
        `select name, model, version, environment, period, start, ends, sequence, rows::float8, labelled::float8, made_at,
           to_jsonb(c)->>'source' as source
         from ${catalog} c where model = $1 order by environment, version, sequence`,
        [model],
      );
      return rows.map(madeTable);
    },
    make: (table, columns) =>
      withTransaction(pool, async (client) => {
        await ensureCatalog(client, { schema, catalog });
        return makeTable(client, { place, catalog }, table, columns);
      }),
    makeBaseline: async (table, columns, data) => {
      await withTransaction(pool, (client) => ensureCatalog(client, { schema, catalog }));
      return withTransaction(pool, (client) => makeBaseline(client, { place, catalog }, table, columns, data));
    },
  };
}

async function ensureCatalog(client: PoolClient, { schema, catalog }: Record<'schema' | 'catalog', string>) {
  await client.query(`select pg_advisory_xact_lock(${LOCK})`);
  // Not `if not exists` alone: it may look into a cache from before the lock. Reading a catalog table refreshes that.
  const { rowCount } = await client.query('select 1 from pg_namespace where nspname = $1', [schema]);
  if (!rowCount) await client.query(`create schema ${escapeIdentifier(schema)}`);
  await client.query(catalogTable(catalog));
  const { rowCount: known } = await client.query(
    "select 1 from pg_attribute where attrelid = $1::regclass and attname = 'source'",
    [catalog],
  );
  if (!known) await client.query(`alter table ${catalog} ${BASELINES}`);
}

/** Training data has no period. */
const BASELINES = 'add column source text, alter column start drop not null, alter column ends drop not null';

const catalogTable = (catalog: string): string => `
create table if not exists ${catalog} (
  name text primary key,
  model text not null, version text not null, environment text not null,
  period text not null, start timestamptz not null, ends timestamptz not null,
  sequence integer not null, rows bigint not null, labelled bigint not null,
  made_at timestamptz not null default now(),
  unique (model, version, environment, start)
)`;

type Asked = Parameters<SasStore['make']>[0];

async function makeTable(
  client: PoolClient,
  { place, catalog }: Place,
  table: Asked,
  columns: readonly SasColumn[],
): Promise<boolean> {
  const { name, model, version, environment, period, start, end, sequence } = table;
  const series = [model, version, environment];
  const known = `select 1 from ${catalog} where model = $1 and version = $2 and environment = $3 and start = $4`;
  if ((await client.query(known, [...series, start])).rowCount) return false;
  const full = `${place}.${escapeIdentifier(name)}`;
  await requireFree(client, full, table);
  // Predictions and their labels lie in the same days.
  await client.query('set local enable_partitionwise_join = on');
  await createTable(client, full, columns);
  await client.query(
    `insert into ${full} select ${columns.map(cellOf).join(', ')} from monitoring.predictions p
     where model = $1 and version = $2 and environment = $3 and time >= $4 and time < $5 order by p.time, p.id`,
    [...series, start, end],
  );
  const target = columns.find(({ from }) => from.kind === 'label')?.name ?? '';
  await client.query(
    `insert into ${catalog} (name, model, version, environment, period, start, ends, sequence, rows, labelled)
     select $1, $2, $3, $4, $5, $6::timestamptz, $7::timestamptz, $8::integer, count(*), count(${escapeIdentifier(target)}) from ${full}`,
    [name, ...series, period, start, end, sequence],
  );
  return true;
}

/** A cell as a typed value; missing, or no number where one is declared: NULL. */
function cellOf({ type, from }: SasColumn): string {
  if (from.kind === 'score') return 'p.score';
  if (from.kind === 'label') {
    if (from.event === null) return 'p.truth';
    const [event, other] = from.event === '1' ? ['1', '0'] : [from.event, `NOT_${from.event}`].map(escapeLiteral);
    return `case p.label when 1 then ${event} when 0 then ${other} end`;
  }
  const cell = `monitoring.input_cell(p.${from.kind}s, ${escapeLiteral(from.name)})`;
  if (type === 'varchar') return cell;
  // Nested, because only a CASE says what is looked at first: a cast of any other text would fail the whole table.
  return `(select case c when 'true' then 1 when 'false' then 0 else case when c ~ ${escapeLiteral(NUMBER)} then
    case when c::numeric = 0 or abs(c::numeric) between 1e-300 and 1.79e308 then c::float8 end end end from ${cell} as c)`;
}

type CatalogRow = Omit<SasTable, 'start' | 'end' | 'madeAt'> & { start: Date | null; ends: Date | null; made_at: Date };

const madeTable = ({ start, ends, made_at: madeAt, ...rest }: CatalogRow): SasTable => ({
  ...rest,
  start: start === null ? null : iso(start.getTime()),
  end: ends === null ? null : iso(ends.getTime()),
  madeAt: iso(madeAt.getTime()),
});

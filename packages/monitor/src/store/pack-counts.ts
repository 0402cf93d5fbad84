import { canonicalJson } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { PackedCounts, Span } from '../app/rebuild.ts';
import { totals } from '../metrics/counts.ts';
import type { WindowCounts } from '../ports.ts';
import { COUNTS_LOCK, haveCountsAlone } from './counts-lock.ts';
import { readSnapshot, withTransaction } from './database.ts';
import { windowCounts } from './window-counts.ts';

/** So many periods in one transaction: a second at most, while nothing is folded. */
export const PACK_BATCH = 20;

const utc = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "${column === 'until' ? 'end' : column}"`;

/** What has ended, is due, and of whose parts nothing waits. */
const DUE = `
select model, version, environment, span, ${utc('start')}, ${utc('until')} from monitoring.unpacked_counts u
where due <= clock_timestamp() and (span = 'hour' or not exists (
  select from monitoring.unpacked_counts p
  where p.model = u.model and p.version = u.version and p.environment = u.environment
    and p.span = any(case u.span when 'day' then array['hour'] else array['hour', 'day'] end)
    and p.start >= u.start and p.start < u.until))
order by due limit ${PACK_BATCH}`;

const PACK = `
insert into monitoring.packed_counts as p (model, version, environment, start, until, span, body) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (model, version, environment, span, start) do update set body = excluded.body`;

const DONE = `
delete from monitoring.unpacked_counts where model = $1 and version = $2 and environment = $3 and start = $4 and span = $5`;

const THEN = `
insert into monitoring.unpacked_counts (model, version, environment, span, start, until, due)
select $1, $2, $3, $5, start, until, greatest(until, clock_timestamp()) from (
  select date_trunc($5, $4::timestamptz, 'UTC') as start,
    (date_trunc($5, $4::timestamptz at time zone 'UTC') + ('1 ' || $5)::interval) at time zone 'UTC' as until) s
on conflict do nothing`;

const LARGER: Readonly<Record<Span, Span | undefined>> = { hour: 'day', day: 'month', month: undefined };

/**
 * Packs the counts of ended hours into a row each, then of days and months, a batch at a time; answers how many. Nothing has to
 * wait for it: what is not packed is read as it is (store/window-counts.ts).
 */
export const packCounts = (pool: Pool): Promise<number> =>
  withTransaction(pool, async (client) => {
    if (!(await haveCountsAlone(client))) return 0;
    const { rows } = await client.query<PackedCounts>(DUE);
    for (const due of rows) await pack(client, due);
    return rows.length;
  });

async function pack(client: PoolClient, due: PackedCounts): Promise<void> {
  const { model, version, environment, span, start, end } = due;
  const key = [model, version, environment, start];
  const body = JSON.stringify(await windowCounts(client, due, 'folded'));
  await client.query(PACK, [...key, end, span, body]);
  await client.query(DONE, [...key, span]);
  const next = LARGER[span];
  if (next !== undefined) await client.query(THEN, [...key, next]);
}

const PACKED_IN = `
select model, version, environment, span, ${utc('start')}, ${utc('until')} from monitoring.packed_counts
where model = $1 and until > $2 and start < $3 order by start, until, version, environment`;

const BODY = `
select body from monitoring.packed_counts where model = $1 and version = $2 and environment = $3 and start = $4 and span = $5`;

/** Larger ones were made from it; of those the next packing thinks by itself. */
const UNPACK = `
with gone as (
  delete from monitoring.packed_counts
  where model = $1 and version = $2 and environment = $3 and span = any($6::text[]) and start <= $4 and until > $4
  returning *
)
insert into monitoring.unpacked_counts (model, version, environment, span, start, until, due)
select model, version, environment, span, start, until, clock_timestamp() from gone where span = $5 on conflict do nothing`;

/** Packed rows of a model that overlap `[from, to)`, oldest first. */
export const packedIn = async (pool: Pool, model: string, from: string, to: string): Promise<PackedCounts[]> =>
  (await pool.query<PackedCounts>(PACKED_IN, [model, from, to])).rows;

/** Predictions in a packed row and in the counts that it was made from, where the two differ at all. */
export const packedDifference = (
  pool: Pool,
  packed: PackedCounts,
): Promise<{ readonly stored: number; readonly rows: number } | undefined> =>
  readSnapshot(pool)(async (client) => {
    const { model, version, environment, start, span } = packed;
    const { rows } = await client.query<{ body: string }>(BODY, [model, version, environment, start, span]);
    const body = rows[0]?.body;
    if (body === undefined) return undefined;
    const counts = await windowCounts(client, packed, 'rows');
    const stored = JSON.parse(body) as WindowCounts;
    if (canonicalJson(counts) === canonicalJson(stored)) return undefined;
    return { stored: totals(stored).predictions, rows: totals(counts).predictions };
  });

/** Takes a packed row away, with those that were made from it; it is made again when {@link packCounts} comes by. */
export const unpack = (pool: Pool, { model, version, environment, start, span }: PackedCounts): Promise<void> =>
  withTransaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [COUNTS_LOCK]);
    const spans = [span, LARGER[span], span === 'hour' ? 'month' : undefined].filter((each) => each !== undefined);
    await client.query(UNPACK, [model, version, environment, start, span, spans]);
  });

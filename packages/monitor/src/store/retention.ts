import { iso } from '@fairway/core';
import type { Pool } from 'pg';
import { sqlState, withTransaction } from './database.ts';
import { DAY_TABLES, PATIENCE } from './day-tables.ts';

const DAY_MS = 86_400_000;
/** The ledger stays longer than anything it guards could come again from an agent's spool or the queue. */
const LEDGER_DAYS_MORE = 30;
const BATCH = 10_000;
const LOCK_NOT_AVAILABLE = '55P03';

const OLD_PARTITIONS = `
select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = $1::regclass and c.relname ~ '_[0-9]{8}$' and right(c.relname, 8) < $2 order by 1`;

const OLD_DEFAULT_ROWS = (table: string) => `
delete from monitoring.${table}_default where ctid = any(array(
  select ctid from monitoring.${table}_default where day < $1 limit ${BATCH}))`;

const OLD_UNDATED = `
delete from monitoring.undated_predictions where id = any(array(
  select id from monitoring.undated_predictions where day < $1 limit ${BATCH}))`;

/** Of versions that never became known: without rows there is nothing to count again. */
const OLD_UNCOUNTED = 'delete from monitoring.uncounted_hours where hour < $1';

/** Whole epochs only: what is left of one would look like a gap. */
const OLD_LEDGER = `
with old as (
  select pack_id from monitoring.packs p
  where recorded_at < $1 and not exists (
    select from monitoring.packs n where n.agent = p.agent and n.epoch = p.epoch and n.recorded_at >= $1)
  limit ${BATCH}
), packs as (delete from monitoring.quarantined_packs where pack_id in (select pack_id from old)),
exchanges as (delete from monitoring.quarantined_exchanges where pack_id in (select pack_id from old))
delete from monitoring.packs where pack_id in (select pack_id from old)`;

/**
 * Gives up exchanges and predictions of days that are more than `days` before `now` (ms): partitions are dropped, rows of the default one
 * deleted. The ledger follows {@link LEDGER_DAYS_MORE} days later; counts and verdicts stay. true: there is more to do.
 */
export async function dropOldDays(pool: Pool, now: number, days: number): Promise<boolean> {
  const oldest = iso(now - days * DAY_MS).slice(0, 10);
  let more = false;
  for (const table of DAY_TABLES) {
    const old = [`monitoring.${table}`, oldest.replaceAll('-', '')];
    const { rows } = await pool.query<{ name: string }>(OLD_PARTITIONS, old);
    for (const { name } of rows) await dropPartition(pool, name);
    more ||= (await pool.query(OLD_DEFAULT_ROWS(table), [oldest])).rowCount === BATCH;
  }
  more ||= (await pool.query(OLD_UNDATED, [oldest])).rowCount === BATCH;
  await pool.query(OLD_UNCOUNTED, [oldest]);
  const ledger = iso(now - (days + LEDGER_DAYS_MORE) * DAY_MS);
  return (await pool.query(OLD_LEDGER, [ledger])).rowCount === BATCH || more;
}

/** Somebody who reads all days keeps it until the next round. */
async function dropPartition(pool: Pool, name: string): Promise<void> {
  const drop = withTransaction(pool, async (client) => {
    await client.query(PATIENCE);
    await client.query(`drop table if exists monitoring.${name}`);
  });
  await drop.catch((error: unknown) => {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
  });
}

import { type Clock, iso, type Logger } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import { withTransaction } from './database.ts';

export const DAY_TABLES = ['pack_frames', 'exchange_rows', 'prediction_rows', 'prediction_labels'] as const;
const DAY_MS = 86_400_000;
/** Partitions for so many days to come stand ready: a recorder may be down over a long weekend. */
const DAYS_AHEAD = 4;
/** Days further back get no partition of their own: imported history of many years would make thousands. */
const DAYS_BACK = 400;
/** `FWDT` in ASCII: one process makes partitions, the others wait and find them. */
const LOCK = 0x46_57_44_54;
/** Whoever reads all days holds up a new one; nobody waits long behind it. The rows go into the default partition meanwhile. */
export const PATIENCE = `set local lock_timeout = '1s'`;

export type DayTables = {
  /** Partitions for these days (`2026-11-22`), where they are neither far off nor older than retention keeps. Never throws: without them there is the default. */
  readonly ensure: (days: Iterable<string>) => Promise<void>;
  /** The same for today and the days to come, and for days that could not be made before. */
  readonly ahead: () => Promise<void>;
};

/** Makes partitions of {@link DAY_TABLES}, each in a transaction of its own, which no pack waits for. */
export function dayTables(pool: Pool, clock: Clock, retentionDays: number, log: Logger): DayTables {
  const made = new Set<string>();
  const failed = new Set<string>();
  const dayAt = (offset: number) => iso(clock.now() + offset * DAY_MS).slice(0, 10);

  const attempt = async (days: Iterable<string>): Promise<void> => {
    for (const day of days) {
      try {
        for (const table of DAY_TABLES) await withTransaction(pool, (client) => makePartition(client, table, day));
        made.add(day);
        failed.delete(day);
      } catch (error) {
        failed.add(day);
        log.warn({ day, reason: (error as Error).message }, 'no partition for this day yet, the default one takes it');
      }
    }
  };
  return {
    ensure: async (days) => {
      const [oldest, newest] = [dayAt(-Math.min(retentionDays, DAYS_BACK)), dayAt(DAYS_AHEAD)];
      const isDue = (day: string) => !made.has(day) && !failed.has(day) && day >= oldest && day <= newest;
      await attempt([...new Set(days)].filter(isDue));
    },
    ahead: async () => {
      made.clear();
      const days = Array.from({ length: DAYS_AHEAD + 1 }, (_, offset) => dayAt(offset));
      await attempt(new Set([...days, ...failed]));
    },
  };
}

/**
 * Filled and attached, not created in place: that would lock the whole table. What the default partition took of the day
 * moves along.
 */
async function makePartition(client: PoolClient, table: (typeof DAY_TABLES)[number], day: string): Promise<void> {
  const name = `monitoring.${table}_${day.replaceAll('-', '')}`;
  await client.query(PATIENCE);
  await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
  const { rows } = await client.query<{ known: boolean }>('select to_regclass($1) is not null as known', [name]);
  if (rows[0]?.known) return;
  await client.query(`create table ${name} (like monitoring.${table} including all)`);
  await client.query(
    `with moved as (delete from monitoring.${table}_default where day = $1 returning *) insert into ${name} select * from moved`,
    [day],
  );
  const next = iso(Date.parse(day) + DAY_MS).slice(0, 10);
  await client.query(
    `alter table monitoring.${table} attach partition ${name} for values from ('${day}') to ('${next}')`,
  );
}

import type { Pool } from 'pg';
import type { RecorderFigures } from '../app/recorder-figures.ts';
import { DAY_TABLES } from './day-tables.ts';

/** Nobody acts differently on a larger number, and it bounds what the question costs. */
const MOST = 200_000;

const UNFOLDED = `
select least(${MOST}, coalesce(sum(cells), 0))::int as rows from (select cells from monitoring.appended_counts limit ${MOST}) a`;

const unpartitioned = (table: string): string => `
select count(*)::int as rows from (
  select from monitoring.${table}_default
  where day between (now() at time zone 'utc')::date - 1 and (now() at time zone 'utc')::date + 1 limit ${MOST}) d`;

/** Both figures end at {@link MOST}. Older days may rightly lie in the default partition (history that was imported); those of now may not for long. */
export async function recorderFigures(pool: Pool): Promise<RecorderFigures> {
  const ask = async (query: string) => (await pool.query<{ rows: number }>(query)).rows[0]?.rows ?? 0;
  const tables = await Promise.all(DAY_TABLES.map(async (table) => [table, await ask(unpartitioned(table))] as const));
  return { unfolded: await ask(UNFOLDED), unpartitioned: Object.fromEntries(tables) };
}

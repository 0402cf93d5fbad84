import type { Pool, PoolConfig } from 'pg';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';

export type Monitoring = { readonly url: string; readonly pool: Pool; readonly stop: () => Promise<void> };

/** A database of its own with the schema `monitoring` as it is today. `stop` ends the pool and drops it. */
export async function startMonitoring(settings: Pick<PoolConfig, 'options'> = {}): Promise<Monitoring> {
  const database = await startPostgres();
  const pool = openTestPool(database.url, settings);
  await migrate(pool);
  const stop = async () => {
    await pool.end();
    await database.stop();
  };
  return { url: database.url, pool, stop };
}

/** Takes the rows of all tables of `monitoring`, whatever migrations will add. */
export async function empty(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    "select 'monitoring.' || relname as name from pg_class where relnamespace = 'monitoring'::regnamespace and relkind in ('r', 'p') and relname <> 'migrations'",
  );
  await pool.query(`truncate ${rows.map(({ name }) => name).join(', ')}`);
}

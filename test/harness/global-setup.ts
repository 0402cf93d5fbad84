import type { TestProject } from 'vitest/node';
import pg from 'pg';
import { startOwnPostgres } from './postgres.ts';

/**
 * One real PostgreSQL for the whole run; each test makes its own database on it. Nothing of it outlives a crash of the machine, so it
 * does not wait for the disk; what a kill of a server leaves is tested on servers of their own.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startOwnPostgres();
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'])
    await client.query(`alter system set ${setting} = off`);
  await client.query('select pg_reload_conf()');
  await client.end();
  project.provide('postgresUrl', server.url);
  return server.stop;
}

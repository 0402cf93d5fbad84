import type { TestProject } from 'vitest/node';
import { startOwnPostgres } from './postgres.ts';

/** One real PostgreSQL for the whole run; each test makes its own database on it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startOwnPostgres();
  project.provide('postgresUrl', server.url);
  return server.stop;
}

import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { recorderFigures } from '../../../packages/monitor/src/store/recorder-figures.ts';
import { startPostgres } from '../../harness/postgres.ts';

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
beforeAll(async () => {
  database = await startPostgres();
  pool = new Pool({ connectionString: database.url });
  await migrate(pool);
});
afterAll(async () => {
  await pool.end();
  await database.stop();
});

const EXCHANGE = `
insert into monitoring.exchanges (day, id, model, version, environment, status, outcome, latency_ms, request, response, head, instances)
values ((now() at time zone 'utc')::date + $1::int, $2, 'm', '1', 'prod', 200, 'complete', 1, '', '', '{}', 0)`;

test('counts what is not added up, and what of today has no partition', async () => {
  expect(await recorderFigures(pool)).toEqual({ unfolded: 0, unpartitioned: { exchanges: 0, predictions: 0 } });
  await pool.query(
    `insert into monitoring.profile_deltas select 'm', '1', 'prod', now(), 'x', n, 1 from generate_series(1, 3) n`,
  );
  await pool.query(
    `insert into monitoring.score_deltas select 'm', '1', 'prod', now(), n, -1, 1 from generate_series(1, 4) n`,
  );
  // What is added up is not behind, and imported history may lie where it lies.
  await pool.query(`insert into monitoring.profile_counts values ('m', '1', 'prod', now(), 'x', 1, 1)`);
  await pool.query(EXCHANGE, [0, 'x-1']);
  await pool.query(EXCHANGE, [-900, 'x-2']);
  expect(await recorderFigures(pool)).toEqual({ unfolded: 7, unpartitioned: { exchanges: 1, predictions: 0 } });
});

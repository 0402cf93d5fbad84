import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { appendedCounts } from '../../../packages/monitor/src/store/migrations/0010-appended-counts.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';

/** As migration 2 made them. */
const CHILDREN = `
drop view monitoring.all_score_counts, monitoring.all_profile_counts, monitoring.score_deltas, monitoring.profile_deltas;
drop table monitoring.appended_counts;
create table monitoring.profile_deltas () inherits (monitoring.profile_counts);
create table monitoring.score_deltas () inherits (monitoring.score_counts)`;

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
beforeAll(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
});
afterAll(async () => {
  await pool.end();
  await database.stop();
});

const sums = async (of: 'score' | 'profile', cell: string) => {
  const { rows } = await pool.query<{ cell: string }>(
    `select concat_ws('/', version, to_char(hour at time zone 'UTC', 'HH24'), ${cell}, sum(count)) as cell
     from monitoring.all_${of}_counts group by version, hour, ${cell} order by 1`,
  );
  return rows.map((row) => row.cell);
};

test('counts that wait in the tables of the version before are taken along', async () => {
  await migrate(pool);
  await pool.query(CHILDREN);
  await pool.query(`
    insert into monitoring.score_deltas values
      ('m', '1', 'prod', '2026-11-22 10:00Z', 5, -1, 2), ('m', '1', 'prod', '2026-11-22 10:00Z', 5, -1, 3),
      ('m', '1', 'prod', '2026-11-22 11:00Z', 7, 1, -1), ('m', '2', 'prod', '2026-11-22 10:00Z', -3, -5, 1099511627776);
    insert into monitoring.profile_deltas values
      ('m', '1', 'prod', '2026-11-22 10:00Z', 'x', -2, 0), ('m', '1', 'prod', '2026-11-22 10:00Z', 'x', 3, 4),
      ('m', '3', 'prod', '2026-11-22 10:00Z', 'y', 0, 6);
    insert into monitoring.score_counts values ('m', '1', 'prod', '2026-11-22 10:00Z', 5, -1, 10)`);
  await pool.query(appendedCounts);
  const scores = ['1/10/5/-1/15', '1/11/7/1/-1', '2/10/-3/-5/1099511627776'];
  const profile = ['1/10/x/-2/0', '1/10/x/3/4', '3/10/y/0/6'];
  expect(await sums('score', 'bin, label')).toEqual(scores);
  expect(await sums('profile', 'variable, bin')).toEqual(profile);
  const { rows: waiting } = await pool.query('select cells from monitoring.appended_counts order by cells');
  expect(waiting).toEqual([{ cells: 1 }, { cells: 1 }, { cells: 1 }, { cells: 4 }]);
  expect(await foldCounts(pool)).toBe(4);
  expect(await sums('score', 'bin, label')).toEqual(scores);
  expect(await sums('profile', 'variable, bin')).toEqual(profile);
  expect(await foldCounts(pool)).toBe(0);
});

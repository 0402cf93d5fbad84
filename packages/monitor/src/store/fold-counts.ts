import type { Pool } from 'pg';
import { haveCountsAlone } from './counts-lock.ts';
import { withTransaction } from './database.ts';

/** So many appended rows, of a pack and hour each, are added up in one transaction. */
export const FOLD_BATCH = 500;

/** Taken and added in one statement: whoever reads meanwhile sees the counts in one place or in the other, once. */
const FOLD = `
with taken as (
  delete from monitoring.appended_counts
  where ctid = any(array(select ctid from monitoring.appended_counts limit ${FOLD_BATCH}))
  returning *
), scores as (
  insert into monitoring.score_counts as c (model, version, environment, hour, bin, label, count)
  select t.model, t.version, t.environment, t.hour, s.bin, s.label, sum(s.count)
  from taken t cross join lateral unnest(t.score_bins, t.score_labels, t.score_counts) as s (bin, label, count)
  group by t.model, t.version, t.environment, t.hour, s.bin, s.label
  on conflict (model, version, environment, hour, bin, label) do update set count = c.count + excluded.count
), inputs as (
  insert into monitoring.profile_counts as c (model, version, environment, hour, variable, bin, count)
  select t.model, t.version, t.environment, t.hour, p.variable, p.bin, sum(p.count)
  from taken t cross join lateral unnest(t.variables, t.variable_bins, t.variable_counts) as p (variable, bin, count)
  group by t.model, t.version, t.environment, t.hour, p.variable, p.bin
  on conflict (model, version, environment, hour, variable, bin) do update set count = c.count + excluded.count
)
select count(*)::int as taken from taken`;

/**
 * Adds up what packs have appended to the counts, a batch at a time; answers how many appended rows it took, 0 when there
 * are none or another process is at it. The counts are right before, during and after.
 */
export const foldCounts = (pool: Pool): Promise<number> =>
  withTransaction(pool, async (client) => {
    if (!(await haveCountsAlone(client))) return 0;
    return (await client.query<{ taken: number }>(FOLD)).rows[0]?.taken ?? 0;
  });

import type { Pool } from 'pg';
import { withTransaction } from './database.ts';

/** At most so many appended counts are added up in one transaction: some tens of milliseconds. */
export const FOLD_BATCH = 20_000;
/** `FWFC` in ASCII: one process folds, the others have nothing to do. */
const LOCK = 0x46_57_46_43;
const TRY_LOCK = `select pg_try_advisory_xact_lock(${LOCK}) as mine`;

const KEYS = {
  profile: 'model, version, environment, hour, variable, bin',
  score: 'model, version, environment, hour, bin, label',
} as const;

/** As `mergeScores` in app/count.ts sorts them: labels add to the same cells. */
const ORDER = {
  profile: 'model, version, environment, hour, variable, bin',
  score: ['model', 'version', 'environment', 'hour', 'bin::text', 'label::text']
    .map((key) => (key === 'hour' ? key : `${key} collate "C"`))
    .join(', '),
} as const;

/** Taken and added in one statement: whoever reads meanwhile sees the counts in one place or in the other, once. */
const fold = (kind: keyof typeof KEYS): string => `
with taken as (
  delete from monitoring.${kind}_deltas where ctid = any(array(select ctid from monitoring.${kind}_deltas limit ${FOLD_BATCH}))
  returning ${KEYS[kind]}, count
), added as (
  insert into monitoring.${kind}_counts as c (${KEYS[kind]}, count)
  select ${KEYS[kind]}, sum(count) from taken group by ${KEYS[kind]} order by ${ORDER[kind]}
  on conflict (${KEYS[kind]}) do update set count = c.count + excluded.count
)
select count(*)::int as taken from taken`;

/**
 * Adds up what packs have appended to the counts, a batch at a time; answers how many appended counts it took, 0 when
 * there are none or another process is at it. The counts are right before, during and after.
 */
export const foldCounts = (pool: Pool): Promise<number> =>
  withTransaction(pool, async (client) => {
    if (!(await client.query<{ mine: boolean }>(TRY_LOCK)).rows[0]?.mine) return 0;
    let taken = 0;
    for (const kind of ['profile', 'score'] as const) {
      taken += (await client.query<{ taken: number }>(fold(kind))).rows[0]?.taken ?? 0;
    }
    return taken;
  });

import type { PoolClient } from 'pg';

/** `FWFC` in ASCII: one process folds or packs counts, the others have nothing to do. Migration 0008 has it in its triggers. */
export const COUNTS_LOCK = 0x46_57_46_43;

/** Until the end of the transaction; false: another one is at it. */
export async function haveCountsAlone(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(`select pg_try_advisory_xact_lock(${COUNTS_LOCK}) as mine`);
  return rows[0]?.mine === true;
}

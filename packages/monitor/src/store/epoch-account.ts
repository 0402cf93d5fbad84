import type { Pool } from 'pg';

/** What the ledger holds of one epoch of one agent: packs, their exchanges, predictions stored, exchanges put into quarantine. */
type LedgerOfEpoch = {
  readonly packs: number;
  readonly exchanges: number;
  readonly stored: number;
  readonly quarantined: number;
};

/** By the index `packs_epoch`. */
const EPOCH_ACCOUNT = `
select count(*)::float8 as packs, coalesce(sum(exchanges), 0)::float8 as exchanges, coalesce(sum(stored), 0)::float8 as stored,
  coalesce(sum(quarantined), 0)::float8 as quarantined
from monitoring.packs where agent = $1 and epoch = $2`;

export const epochAccount =
  (pool: Pool) =>
  async (agent: string, epoch: string): Promise<LedgerOfEpoch> =>
    (await pool.query<LedgerOfEpoch>(EPOCH_ACCOUNT, [agent, epoch])).rows[0] as LedgerOfEpoch;

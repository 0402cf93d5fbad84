import { SAMPLED_OUT } from '@fairway/core';
import type { Pool } from 'pg';
import type { Account, EpochAccount, Gap } from '../ports.ts';

/**
 * `dropped` holds the totals of an epoch so far: the newest pack of each epoch has them all. What a sample left out is
 * among them, but no loss.
 */
const TOTALS = `
with chosen as (select * from monitoring.packs where $1::text is null or model = $1),
newest as (select distinct on (agent, epoch) dropped from chosen order by agent, epoch, last desc)
select
  coalesce(sum(stored), 0)::float8 as stored,
  coalesce(sum(quarantined), 0)::float8 as quarantined,
  coalesce(sum(exchanges), 0)::float8 as exchanges,
  count(*)::float8 as packs,
  (select coalesce(sum(count), 0)::float8 from monitoring.all_score_counts
    where label >= 0 and ($1::text is null or model = $1)) as labelled,
  (select coalesce(json_object_agg(reason, n), '{}'::json) from (
    select key as reason, sum(value::float8) as n from newest, jsonb_each_text(dropped)
    where key <> '${SAMPLED_OUT}' group by key order by key
  ) totals) as dropped,
  (select coalesce(sum((dropped->>'${SAMPLED_OUT}')::float8), 0)::float8 from newest) as "sampledOut"
from chosen`;

export const accountTotals =
  (pool: Pool) =>
  async (model: string | undefined): Promise<Account> =>
    (await pool.query<Account>(TOTALS, [model ?? null])).rows[0] as Account;

const EPOCHS = `
select model, agent, epoch, captured::float8, recorded::float8, predictions::float8, quarantined::float8,
  sampled_out::float8 as "sampledOut", dropped, in_flight::float8 as "inFlight", unexplained::float8,
  to_char(last_pack_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "lastPackAt"
from monitoring.account(coalesce($1::timestamptz, '-infinity'), $2)
order by model, agent, last_pack_at desc, epoch`;

/** The newest gaps that no counted loss explains, of the epochs that are asked for. */
const GAPS = `
select g.model, g.agent, g.epoch, g.first_missing::float8 as "firstMissing", g.last_missing::float8 as "lastMissing",
  g.unexplained::float8, to_char(g.noticed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "noticedAt"
from monitoring.gaps g
where not g.explained and g.noticed_at >= coalesce($1::timestamptz, '-infinity') and ($2::text is null or g.model = $2)
order by g.noticed_at desc, g.agent, g.epoch, g.first_missing limit 100`;

/** The ledger as an account, of what was recorded since a time (RFC 3339) and of one model, or of everything. */
export const ledgerAccount =
  (pool: Pool) =>
  async (
    since: string | undefined,
    model: string | undefined,
  ): Promise<{ readonly epochs: readonly EpochAccount[]; readonly gaps: readonly Gap[] }> => {
    const bounds = [since ?? null, model ?? null];
    const epochs = (await pool.query<EpochAccount>(EPOCHS, bounds)).rows;
    return { epochs, gaps: (await pool.query<Gap>(GAPS, bounds)).rows };
  };

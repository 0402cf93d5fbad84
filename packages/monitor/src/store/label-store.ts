import { SAMPLED_OUT } from '@fairway/core';
import type { Pool } from 'pg';
import type { Account, EarlyLabel, LabelStore, LabelTarget } from '../ports.ts';
import { addScoreCounts } from './counts.ts';
import { withTransaction } from './database.ts';
import { ALONE_FOR_LABELS } from './label-lock.ts';

const TARGETS = `
with found as (
  select id from monitoring.predictions where id = any($1)
  union
  select id from monitoring.predictions where correlation_id = any($1)
)
select p.id, p.correlation_id as "correlationId", p.label, p.model, p.version, p.environment,
  to_char(date_trunc('hour', p.time, 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as hour,
  case when p.score is null then -1 else least(floor(p.score * 10000::float8)::int, 9999) end as bin
from found join monitoring.predictions p using (id)`;

const EARLY = `
select key, label, to_char(observed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "observedAt"
from monitoring.early_labels where key = any($1)`;

const LABEL_PREDICTIONS = `
update monitoring.predictions p set label = g.label, observed_at = g.observed_at
from unnest($1::text[], $2::smallint[], $3::timestamptz[]) as g (id, label, observed_at)
where p.id = g.id`;

const KEEP_EARLY = `
insert into monitoring.early_labels (key, label, observed_at)
select * from unnest($1::text[], $2::smallint[], $3::timestamptz[])
on conflict (key) do update set label = excluded.label, observed_at = excluded.observed_at, received_at = now()`;

/**
 * `dropped` holds the totals of an epoch so far: the newest pack of each epoch has them all. What a sample left out is
 * among them, but no loss.
 */
const ACCOUNT = `
with chosen as (select * from monitoring.packs where $1::text is null or model = $1),
newest as (select distinct on (agent, epoch) dropped from chosen order by agent, epoch, last desc)
select
  coalesce(sum(stored), 0)::float8 as stored,
  coalesce(sum(quarantined), 0)::float8 as quarantined,
  coalesce(sum(exchanges), 0)::float8 as exchanges,
  count(*)::float8 as packs,
  (select coalesce(sum(count), 0)::float8 from monitoring.score_counts
    where label >= 0 and ($1::text is null or model = $1)) as labelled,
  (select coalesce(json_object_agg(reason, n), '{}'::json) from (
    select key as reason, sum(value::float8) as n from newest, jsonb_each_text(dropped)
    where key <> '${SAMPLED_OUT}' group by key order by key
  ) totals) as dropped,
  (select coalesce(sum((dropped->>'${SAMPLED_OUT}')::float8), 0)::float8 from newest) as "sampledOut"
from chosen`;

/** Labels in PostgreSQL: prediction, counts and dirty mark change together. */
export function labelStore(pool: Pool): LabelStore {
  return {
    transaction: (work) =>
      withTransaction(pool, async (client) => {
        await client.query(ALONE_FOR_LABELS);
        return work({
          targets: async (keys) => (await client.query<LabelTarget>(TARGETS, [keys])).rows,
          early: async (keys) => (await client.query<EarlyLabel>(EARLY, [keys])).rows,
          write: async ({ updates, scores, early }) => {
            if (updates.length > 0) await client.query(LABEL_PREDICTIONS, labelColumns(updates, 'id'));
            if (early.length > 0) await client.query(KEEP_EARLY, labelColumns(early, 'key'));
            await addScoreCounts(client, scores);
          },
        });
      }),
    account: async (model) => {
      const { rows } = await pool.query<Account>(ACCOUNT, [model ?? null]);
      return rows[0] as Account;
    },
  };
}

type Labelled = { readonly label: number; readonly observedAt: string | null };

const labelColumns = <K extends string>(rows: ReadonlyArray<Labelled & Record<K, string>>, key: K): unknown[][] => [
  rows.map((row) => row[key]),
  rows.map(({ label }) => label),
  rows.map(({ observedAt }) => observedAt),
];

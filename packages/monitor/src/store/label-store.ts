import type { Pool, PoolClient } from 'pg';
import type {
  EarlyLabel,
  LabelCorrection,
  LabelExchange,
  LabelStore,
  LabelTarget,
  LabelTransaction,
  WaitingLabels,
} from '../ports.ts';
import { accountTotals } from './account-store.ts';
import { appendCounts } from './counts.ts';
import { withTransaction } from './database.ts';
import { ALONE_FOR_LABELS, ONE_LABEL_REQUEST } from './label-lock.ts';

/**
 * Some thousand keys against indexes of millions of rows: one probe per key, in the partition of its day. Left to itself the
 * planner may prefer to read whole days.
 */
const PROBE_ONLY =
  'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off; set local jit = off';

const TARGET = `p.day::text as day, p.id, p.label, ${micros('p.observed_at')} as "observedAt", p.model, p.version, p.environment,
  to_char(date_trunc('hour', p.time, 'UTC') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as hour,
  case when p.score is null then -1 else least(floor(p.score * 10000::float8)::int, 9999) end as bin`;

const BY_DAY_AND_ID = `
select ${TARGET} from unnest($1::date[], $2::text[]) as k (day, id)
join monitoring.predictions p on p.day = k.day and p.id = k.id`;

const UNDATED = `
select ${TARGET} from monitoring.undated_predictions u
join monitoring.predictions p on p.day = u.day and p.id = u.id
where u.id = any($1)`;

/** One walk through the index of each day for all keys: a third of the cost of the keys one by one. */
const BY_CORRELATION = `
select p.correlation_id as key, ${TARGET} from monitoring.predictions p where p.correlation_id = any($1) limit $2`;

/** A caller may send one correlation id for ever: where there are that many carriers, only some of each are read. */
const SOME_BY_CORRELATION = `
select k.key, p.* from unnest($1::text[]) as k (key)
cross join lateral (select ${TARGET} from monitoring.predictions p where p.correlation_id = k.key limit $2) p`;

const EXCHANGES = `
select e.id, e.instances, e.reason from unnest($1::date[], $2::text[]) as k (day, id)
join monitoring.exchanges e on e.day = k.day and e.id = k.id`;

const EARLY = `
select key, label, ${micros('observed_at')} as "observedAt" from monitoring.early_labels where key = any($1)`;

const LABEL_PREDICTIONS = `
update monitoring.predictions p set label = g.label, observed_at = g.observed_at
from unnest($1::date[], $2::text[], $3::smallint[], $4::timestamptz[]) as g (day, id, label, observed_at)
where p.day = g.day and p.id = g.id`;

const KEEP_EARLY = `
insert into monitoring.early_labels (key, label, observed_at)
select * from unnest($1::text[], $2::smallint[], $3::timestamptz[])
on conflict (key) do update set label = excluded.label, observed_at = excluded.observed_at, received_at = now()`;

const KEEP_HISTORY = `
insert into monitoring.label_history (key, day, old_label, old_observed_at, label, observed_at, source)
select * from unnest($1::text[], $2::date[], $3::smallint[], $4::timestamptz[], $5::smallint[], $6::timestamptz[], $7::text[])`;

const EXPIRE_EARLY = `
with gone as (
  delete from monitoring.early_labels where key in (
    select key from monitoring.early_labels where received_at < now() - $1 * interval '1 day' limit $2 for update skip locked
  ) returning key
), total as (
  insert into monitoring.label_totals as t (name, count) select 'expired', count(*) from gone having count(*) > 0
  on conflict (name) do update set count = t.count + excluded.count
)
select count(*)::int as gone from gone`;

const WAITING = `
select (select count(*)::float8 from monitoring.early_labels) as waiting,
  coalesce((select count::float8 from monitoring.label_totals where name = 'expired'), 0) as expired`;

function micros(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** Labels in PostgreSQL: prediction, counts, history and dirty mark change together. */
export function labelStore(pool: Pool): LabelStore {
  return {
    transaction: (beside, work) =>
      withTransaction(pool, async (client) => {
        await client.query(ONE_LABEL_REQUEST);
        if (beside === 'no packs') await client.query(ALONE_FOR_LABELS);
        await client.query(PROBE_ONLY);
        return work(transactionOn(client));
      }),
    expire: async (days, limit) => (await pool.query<{ gone: number }>(EXPIRE_EARLY, [days, limit])).rows[0]?.gone ?? 0,
    waiting: async () => (await pool.query<WaitingLabels>(WAITING)).rows[0] ?? { waiting: 0, expired: 0 },
    account: accountTotals(pool),
  };
}

const transactionOn = (client: PoolClient): LabelTransaction => {
  const rows = async <T extends object>(sql: string, values: unknown[]) => (await client.query<T>(sql, values)).rows;
  return {
    byId: async (ids) => {
      const dated = ids.flatMap(({ id, day }) => (day === undefined ? [] : [{ id, day }]));
      const undated = ids.flatMap(({ id, day }) => (day === undefined ? [id] : []));
      return [
        ...(dated.length === 0 ? [] : await rows<LabelTarget>(BY_DAY_AND_ID, dayColumns(dated))),
        ...(undated.length === 0 ? [] : await rows<LabelTarget>(UNDATED, [undated])),
      ];
    },
    byCorrelation: async (keys, limit) => {
      const most = keys.length * 2 + limit;
      const found = await rows<LabelTarget & { key: string }>(BY_CORRELATION, [keys, most]);
      return found.length < most ? found : rows<LabelTarget & { key: string }>(SOME_BY_CORRELATION, [keys, limit]);
    },
    exchanges: (ids) => rows<LabelExchange>(EXCHANGES, dayColumns(ids)),
    early: (keys) => rows<EarlyLabel>(EARLY, [keys]),
    write: async ({ updates, scores, early, corrections, source }) => {
      const columns = (given: readonly Labelled[]) => [
        given.map(({ label }) => label),
        given.map(({ observedAt }) => observedAt),
      ];
      if (updates.length > 0) await client.query(LABEL_PREDICTIONS, [...dayColumns(updates), ...columns(updates)]);
      if (early.length > 0) await client.query(KEEP_EARLY, [early.map(({ key }) => key), ...columns(early)]);
      if (corrections.length > 0) await client.query(KEEP_HISTORY, historyColumns(corrections, source));
      await appendCounts(client, [], scores);
    },
  };
};

type Labelled = { readonly label: number; readonly observedAt: string | null };

const dayColumns = (rows: ReadonlyArray<{ readonly id: string; readonly day: string }>): string[][] => [
  rows.map(({ day }) => day),
  rows.map(({ id }) => id),
];

const historyColumns = (rows: readonly LabelCorrection[], source: string): unknown[][] => [
  rows.map(({ key }) => key),
  rows.map(({ day }) => day),
  rows.map(({ before }) => before.label),
  rows.map(({ before }) => before.observedAt),
  rows.map(({ after }) => after.label),
  rows.map(({ after }) => after.observedAt),
  rows.map(() => source),
];

import { canonicalJson, iso, type Verdict } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { DirtyWindow, JudgeStore, Judgement, OutboxItem } from '../ports.ts';
import { withTransaction } from './database.ts';
import { insertEvidence } from './evidence-store.ts';
import { firstStarts } from './first-starts.ts';
import { windowCounts } from './window-counts.ts';

const DIRTY_MODELS = 'select distinct model from monitoring.dirty_hours order by model';

const DIRTY_WINDOWS = `
select w.*, exists (
  select from monitoring.uncounted_hours u where u.model = $1 and u.version = w.version and u.environment = w.environment
    and date_trunc($2, u.hour, 'UTC') = w.start) as "isUncounted"
from (
  select version, environment, date_trunc($2, hour, 'UTC') as start, array_agg(hour) as hours, array_agg(revision) as revisions
  from monitoring.dirty_hours where model = $1
  group by 1, 2, 3
  having max(touched_at) <= clock_timestamp() - make_interval(secs => $3::float8 / 1000)
) w order by start, version, environment`;

/** Back from window to window through the primary key; what is not folded yet is read as a whole. */
const EARLIER_STARTS = `
with recursive found as (
  (select hour from monitoring.score_counts
   where model = $1 and version = $2 and environment = $3 and hour < $4 and count > 0 order by hour desc limit 1)
  union all
  select before.hour from found cross join lateral (
    select c.hour from monitoring.score_counts c
    where c.model = $1 and c.version = $2 and c.environment = $3 and c.hour < date_trunc($5, found.hour, 'UTC') and c.count > 0
    order by c.hour desc limit 1
  ) before
), folded as (select hour from found limit $6)
select date_trunc($5, hour, 'UTC') as start from folded
union
select date_trunc($5, hour, 'UTC') from monitoring.appended_counts
where model = $1 and version = $2 and environment = $3 and hour < $4 and 0 < any(score_counts)
order by start desc limit $6`;

const VERDICTS = `
select distinct on (model, environment, start, version) body, judged_at as "judgedAt"
from monitoring.verdicts
where ($1::text is null or model = $1) and ($2::text is null or environment = $2)
order by model, environment, start, version, revision desc`;

/** The newest revision of the window before: what stands between two verdicts is insufficient ones. */
const VERDICT_BEFORE = `
select body, judged_at as "judgedAt" from monitoring.verdicts v
where model = $1 and environment = $2 and start < $3 and body::json->>'state' <> 'insufficient' and not exists (
  select from monitoring.verdicts n where n.model = $1 and n.environment = $2 and n.start = v.start and n.version = v.version
    and n.revision > v.revision)
order by start desc, version desc limit 1`;

const LOCK_WINDOW = 'select pg_advisory_xact_lock(hashtextextended($1, 0))';

const NEWEST_VERDICT = `
select id from monitoring.verdicts
where model = $1 and environment = $2 and start = $3 and version = $4 order by revision desc limit 1`;

/** A verdict that was overtaken and comes back (a label corrected and corrected back) becomes the newest again. */
const INSERT_VERDICT = `
insert into monitoring.verdicts (id, model, version, environment, start, body, judged_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do update set judged_at = excluded.judged_at, revision = default`;

const INSERT_OUTBOX = `
insert into monitoring.outbox (delivery_id, kind, event, title, model, version, environment, payload, link)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (delivery_id) do nothing`;

/** Only marks that were seen go: an hour that changed meanwhile has another revision and stays. */
const CLEAR_MARKS = `
delete from monitoring.dirty_hours d using unnest($4::timestamptz[], $5::bigint[]) as g (hour, revision)
where d.model = $1 and d.version = $2 and d.environment = $3 and d.hour = g.hour and d.revision = g.revision`;

const KEEP_POLICY = `
insert into monitoring.policies as p (model, blob, text, problem, remark) values ($1, $2, $3, $4, $5)
on conflict (model) do update
set blob = excluded.blob, text = excluded.text, problem = excluded.problem, remark = excluded.remark, seen_at = now()
where p.blob <> excluded.blob or p.problem is distinct from excluded.problem or p.remark is distinct from excluded.remark`;

/** What a judge reads and writes, in PostgreSQL. */
export function judgeStore(pool: Pool): JudgeStore {
  return {
    dirtyModels: async () => (await pool.query<{ model: string }>(DIRTY_MODELS)).rows.map(({ model }) => model),
    dirtyWindows: async (model, every, settleMs) =>
      (await pool.query<DirtyRow>(DIRTY_WINDOWS, [model, every, settleMs])).rows.map(dirtyWindow),
    counts: (window) => windowCounts(pool, window),
    earlierStarts: async ({ model, version, environment, start }, every, limit) => {
      const { rows } = await pool.query<{ start: Date }>(EARLIER_STARTS, [
        model,
        version,
        environment,
        start,
        every,
        limit,
      ]);
      return rows.map((row) => iso(row.start.getTime()));
    },
    firstStarts: (window, every, limit) => firstStarts(pool, window, every, limit),
    verdicts: async ({ model, environment }) => {
      const { rows } = await pool.query<VerdictRow>(VERDICTS, [model ?? null, environment ?? null]);
      return rows.map(storedVerdict);
    },
    verdictBefore: async ({ model, environment, start }) =>
      (await pool.query<VerdictRow>(VERDICT_BEFORE, [model, environment, start])).rows.map(storedVerdict)[0],
    keep: (judgement, judgedAt, items, marks, evidence) =>
      withTransaction(pool, async (client) => {
        const isNew = await insertVerdict(client, judgement, judgedAt);
        if (isNew && evidence !== undefined) await insertEvidence(client, judgement.id, evidence);
        for (const item of items) await client.query(INSERT_OUTBOX, outboxValues(item));
        const { model, version, environment } = judgement.window;
        const hours = marks.map(({ hour }) => hour);
        await client.query(CLEAR_MARKS, [model, version, environment, hours, marks.map(({ revision }) => revision)]);
        return isNew;
      }),
    keepPolicy: async (model, { blob, text }, { problem, remark }) => {
      await pool.query(KEEP_POLICY, [model, blob, text, problem ?? null, remark ?? null]);
    },
  };
}

type VerdictRow = { body: string; judgedAt: Date };

const storedVerdict = ({ body, judgedAt }: VerdictRow): Verdict => ({
  ...(JSON.parse(body) as Judgement),
  judgedAt: iso(judgedAt.getTime()),
});

type DirtyRow = Pick<DirtyWindow, 'version' | 'environment' | 'isUncounted'> & {
  start: Date;
  hours: Date[];
  revisions: string[];
};

const dirtyWindow = ({ version, environment, isUncounted, start, hours, revisions }: DirtyRow): DirtyWindow => ({
  version,
  environment,
  isUncounted,
  start: iso(start.getTime()),
  marks: hours.map((hour, index) => ({ hour: iso(hour.getTime()), revision: revisions[index] ?? '' })),
});

async function insertVerdict(client: PoolClient, judgement: Judgement, judgedAt: string): Promise<boolean> {
  const { model, version, environment, start } = judgement.window;
  await client.query(LOCK_WINDOW, [canonicalJson(['verdict', model, version, environment, start])]);
  const newest = await client.query<{ id: string }>(NEWEST_VERDICT, [model, environment, start, version]);
  if (newest.rows[0]?.id === judgement.id) return false;
  await client.query(INSERT_VERDICT, [
    judgement.id,
    model,
    version,
    environment,
    start,
    canonicalJson(judgement),
    judgedAt,
  ]);
  return true;
}

const outboxValues = ({
  deliveryId,
  kind,
  event,
  title,
  model,
  version,
  environment,
  payload,
  link,
}: OutboxItem): unknown[] => [
  deliveryId,
  kind,
  event,
  title,
  model,
  version,
  environment,
  JSON.stringify(payload),
  link ?? null,
];

import { iso } from '@fairway/core';
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
import { classAnswer } from '../app/class-answer.ts';
import { segmentedBy } from '../app/segment-bins.ts';
import { accountTotals } from './account-store.ts';
import { keysOfNames, NAME_OF_LABEL } from './class-names.ts';
import { batch } from './batch.ts';
import { appendCounts } from './counts.ts';
import { withTransaction } from './database.ts';
import { ALONE_FOR_LABELS, ONE_LABEL_REQUEST } from './label-lock.ts';
import { modelTargets, type Predicts } from './model-targets.ts';
import { copyLabels } from './pack-rows.ts';

/**
 * Some thousand keys against indexes of millions of rows: one probe per key, in the partition of its day. Left to itself the
 * planner may prefer to read whole days.
 */
const PROBE_ONLY =
  'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off; set local jit = off';

const TARGET = `p.day::text as day, p.id, l.label, ${micros('l.observed_at')} as "observedAt",
  s.model, s.version, s.environment,
  floor(date_part('epoch', p.time) / 3600) as hour, p.score`;

const WITH_LABEL = `
join monitoring.streams s on s.id = p.stream
left join monitoring.prediction_labels l on l.day = p.day and l.id = p.id`;

const BY_DAY_AND_ID = `
select ${TARGET} from unnest($1::date[], $2::text[]) as k (day, id)
join monitoring.prediction_rows p on p.day = k.day and p.id = k.id ${WITH_LABEL}`;

const UNDATED = `
select ${TARGET} from monitoring.undated_predictions u
join monitoring.prediction_rows p on p.day = u.day and p.id = u.id ${WITH_LABEL}
where u.id = any($1)`;

const CARRIES = 'hashtextextended(p.correlation_id, 0)';

/**
 * One walk through the index of each day for all keys: an eighth of the cost of the keys one by one. Whether the key itself is
 * the same is seen here: as a condition it would be weighed key by key for every day, which costs ten times the walk. Every
 * walk sorts the keys: those in order already cost it a quarter less.
 */
const BY_CORRELATION = `
select p.correlation_id as key, ${TARGET} from monitoring.prediction_rows p ${WITH_LABEL}
where ${CARRIES} = any(array(select hashtextextended(key, 0) from unnest($1::text[]) as k (key) order by 1)) limit $2`;

/** A caller may send one correlation id for ever: where there are that many carriers, only some of each are read. */
const SOME_BY_CORRELATION = `
select k.key, p.* from unnest($1::text[]) as k (key)
cross join lateral (
  select ${TARGET} from monitoring.prediction_rows p ${WITH_LABEL}
  where ${CARRIES} = hashtextextended(k.key, 0) and p.correlation_id = k.key limit $2
) p`;

const EXCHANGES = `
select e.id, e.instances, e.reason from unnest($1::date[], $2::text[]) as k (day, id)
join monitoring.exchange_rows e on e.day = k.day and e.id = k.id
union all
select k.id, 1, null from unnest($1::date[], $2::text[]) as k (day, id)
join monitoring.prediction_rows p on p.day = k.day and p.id = k.id || '-0' and p.position is not null`;

/** Those whose id names no day: it is that of their first prediction. A key that is a prediction's own id is not one of them. */
const UNDATED_EXCHANGES = `
select k.id, coalesce(e.instances, 1) as instances, e.reason from unnest($1::text[]) as k (id)
join monitoring.undated_predictions u on u.id = k.id || '-0'
left join monitoring.exchange_rows e on e.day = u.day and e.id = k.id
where not exists (select from monitoring.undated_predictions o where o.id = k.id)`;

const EARLY = `
select key, label, ${NAME_OF_LABEL}, ${micros('observed_at')} as "observedAt" from monitoring.early_labels where key = any($1)`;

/** Rows of predictions stay as they are: a label is a row beside them, and only a correction changes one. */
const CORRECT_LABELS = `
update monitoring.prediction_labels l set label = g.label, observed_at = g.observed_at
from unnest($1::date[], $2::text[], $3::float8[], $4::timestamptz[]) as g (day, id, label, observed_at)
where l.day = g.day and l.id = g.id`;

const KEEP_EARLY = `
insert into monitoring.early_labels (key, label, observed_at)
select * from unnest($1::text[], $2::float8[], $3::timestamptz[])
on conflict (key) do update set label = excluded.label, observed_at = excluded.observed_at, received_at = now()`;

const KEEP_HISTORY = `
insert into monitoring.label_history (key, day, old_label, old_observed_at, label, observed_at, source)
select * from unnest($1::text[], $2::date[], $3::float8[], $4::timestamptz[], $5::float8[], $6::timestamptz[], $7::text[])`;

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
  const known = modelTargets();
  return {
    transaction: (beside, work) =>
      withTransaction(pool, async (client) => {
        await client.query(ONE_LABEL_REQUEST);
        if (beside === 'no packs') await client.query(ALONE_FOR_LABELS);
        await client.query(PROBE_ONLY);
        return work(transactionOn(client, known));
      }),
    expire: async (days, limit) => (await pool.query<{ gone: number }>(EXPIRE_EARLY, [days, limit])).rows[0]?.gone ?? 0,
    waiting: async () => (await pool.query<WaitingLabels>(WAITING)).rows[0] ?? { waiting: 0, expired: 0 },
    account: accountTotals(pool),
  };
}

const transactionOn = (client: PoolClient, known: ReturnType<typeof modelTargets>): LabelTransaction => {
  const rows = async <T extends object>(sql: string, values: unknown[]) => (await client.query<T>(sql, values)).rows;
  const targets = async <T extends Found>(sql: string, values: unknown[]) => {
    const found = await rows<T>(sql, values);
    const predicts = await known.of(client, found);
    const answers = await answersOf(client, found, predicts);
    return found.map((row) => ({
      ...row,
      hour: hourText(row.hour),
      isNumber: predicts(row).isNumber,
      ...answers.get(row.id),
    }));
  };
  return {
    byId: async (ids) => {
      const { dated, undated } = byDay(ids);
      return [
        ...(dated.length === 0 ? [] : await targets(BY_DAY_AND_ID, dayColumns(dated))),
        ...(undated.length === 0 ? [] : await targets(UNDATED, [undated])),
      ];
    },
    byCorrelation: async (keys, limit) => {
      const most = keys.length * 2 + limit;
      const found = await targets<Carrier>(BY_CORRELATION, [keys, most]);
      if (found.length === most) return targets<Carrier>(SOME_BY_CORRELATION, [keys, limit]);
      const asked = new Set(keys);
      return found.filter(({ key }) => asked.has(key));
    },
    exchanges: async (ids) => {
      const { dated, undated } = byDay(ids);
      return [
        ...(dated.length === 0 ? [] : await rows<LabelExchange>(EXCHANGES, dayColumns(dated))),
        ...(undated.length === 0 ? [] : await rows<LabelExchange>(UNDATED_EXCHANGES, [undated])),
      ];
    },
    early: (keys) => rows<EarlyLabel>(EARLY, [keys]),
    anyNumbers: () => known.any(client),
    keysOfNames: (names) => keysOfNames(client, names),
    write: async ({ updates, scores, moved, early, corrections, source }) => {
      const columns = (given: readonly Labelled[]) => [
        given.map(({ label }) => label),
        given.map(({ observedAt }) => observedAt),
      ];
      const [later, fresh] = [updates.filter(({ isFirst }) => !isFirst), updates.filter(({ isFirst }) => isFirst)];
      if (later.length > 0) await client.query(CORRECT_LABELS, [...dayColumns(later), ...columns(later)]);
      if (early.length > 0) await client.query(KEEP_EARLY, [early.map(({ key }) => key), ...columns(early)]);
      if (corrections.length > 0) await client.query(KEEP_HISTORY, historyColumns(corrections, source));
      await batch(client, [...copyLabels(fresh), ...appendCounts(moved, scores)]);
    },
  };
};

const ANSWERS = `
select p.id, p.inputs::text as inputs, p.outputs::text as outputs from unnest($1::date[], $2::text[]) as k (day, id)
join monitoring.prediction_rows p on p.day = k.day and p.id = k.id`;

type Answers = Pick<LabelTarget, 'classes' | 'classed' | 'segmented'>;
type Answer = { readonly id: string; readonly inputs: string; readonly outputs: string };

/** Of models of several classes, or that count by segment: what they were asked and said, read as the recorder did. */
async function answersOf(
  client: PoolClient,
  found: readonly Found[],
  predicts: (row: Found) => Predicts,
): Promise<ReadonlyMap<string, Answers>> {
  const wanted = new Map(
    found.flatMap((row) => {
      const { answering, segments } = predicts(row);
      return answering === undefined && segments.length === 0 ? [] : [[row.id, row] as const];
    }),
  );
  if (wanted.size === 0) return new Map();
  const { rows } = await client.query<Answer>(ANSWERS, dayColumns([...wanted.values()]));
  return new Map(rows.map((row) => [row.id, answerOf(row, predicts(wanted.get(row.id) as Found))] as const));
}

const answerOf = ({ inputs, outputs }: Answer, { answering, segments }: Predicts): Answers => ({
  ...(answering && { classes: answering.classification.classes, classed: classAnswer(outputs, answering) }),
  ...(segments.length === 0 ? {} : { segmented: segmentedBy(inputs, segments) }),
});

/** `hour`: since 1970. */
type Found = Omit<LabelTarget, 'hour' | 'isNumber' | keyof Answers> & { readonly hour: number };
type Carrier = Found & { readonly key: string };

const HOUR_MS = 3_600_000;
const hourText = (hour: number): string => iso(hour * HOUR_MS);

type Labelled = { readonly label: number; readonly observedAt: string | null };

type Keyed = { readonly id: string; readonly day: string | undefined };

const byDay = (ids: readonly Keyed[]) => ({
  dated: ids.flatMap(({ id, day }) => (day === undefined ? [] : [{ id, day }])),
  undated: ids.flatMap(({ id, day }) => (day === undefined ? [id] : [])),
});

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

import { FairwayError, iso, type ProfileCount } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { Hour, HourView, RebuildStore, SteadySession } from '../app/rebuild.ts';
import type { HourOf, ScoreCount } from '../ports.ts';
import { batch } from './batch.ts';
import { appendCounts } from './counts.ts';
import { withTransaction } from './database.ts';
import { framesAt } from './frames.ts';
import { LABELS_AGAIN, NO_LABELS } from './label-lock.ts';
import { packedDifference, packedIn, unpack } from './pack-counts.ts';
import { forgetUncounted } from './uncounted-hours.ts';

/** `FWRB` in ASCII. Two rebuilds would both add what is missing. */
const LOCK = 0x46_57_52_42;

const HOURS = `
select h.version, h.environment, h.hour, exists (
  select from monitoring.uncounted_hours u
  where u.model = $1 and u.version = h.version and u.environment = h.environment and u.hour = h.hour) as "isUncounted"
from (
select version, environment, hour from monitoring.all_score_counts where model = $1 and hour >= $2 and hour < $3
union
select version, environment, hour from monitoring.all_profile_counts where model = $1 and hour >= $2 and hour < $3
union
select s.version, s.environment, date_trunc('hour', p.time, 'UTC') from monitoring.prediction_rows p
join monitoring.streams s on s.id = p.stream
where s.model = $1 and p.time >= $2 and p.time < $3
) h order by h.hour, h.version, h.environment`;

const MARKED = `
select revision from monitoring.uncounted_hours where model = $1 and version = $2 and environment = $3 and hour = $4`;

const FILL = `
update monitoring.prediction_rows p set score = g.score from unnest($1::date[], $2::text[], $3::float8[]) as g (day, id, score)
where p.day = g.day and p.id = g.id and p.score is null`;

const OF_HOUR = `model = $1 and version = $2 and environment = $3 and time >= $4 and time < $4::timestamptz + interval '1 hour'`;

const STREAMS = `stream in (select id from monitoring.streams where model = $1 and version = $2 and environment = $3)
  and time >= $4 and time < $4::timestamptz + interval '1 hour'`;

/** An exchange has one time, so all its rows are of one hour. */
const CALLS = `
select f.frames, c.positions from (
  select day, pack, array_agg(position) as positions from (
    select day, pack, position from monitoring.prediction_rows where ${STREAMS} and position is not null
    union all
    select day, pack, position from monitoring.exchange_rows where ${STREAMS} and instances > 0
  ) one group by day, pack
) c join monitoring.pack_frames f on f.day = c.day and f.pack = c.pack`;

const LABELLED = `select score, truth as label from monitoring.predictions where ${OF_HOUR}`;

const TRUTHS = `
select l.id, l.label from unnest($1::date[], $2::text[]) as k (day, id)
join monitoring.prediction_labels l on l.day = k.day and l.id = k.id`;

const counts = (kind: 'profile' | 'score', second: string) => `
select bin, ${second}, sum(count)::float8 as count from monitoring.all_${kind}_counts
where model = $1 and version = $2 and environment = $3 and hour = $4 group by bin, ${second}`;
/** A sum of 0 is what is left of labels that moved; below the baseline's range it says "none". */
const PROFILE = counts('profile', 'variable');
const SCORES = `${counts('score', 'label')} having sum(count) <> 0`;

/** A pack is of some MiB at most once it is inflated. */
const PACKS_AT_ONCE = 1;
const ROWS_AT_ONCE = 5000;

/** Rows and counts for `rebuild`. An hour is seen in one repeatable-read transaction, and mended in another. */
export const rebuildStore = (pool: Pool): RebuildStore => ({
  alone: async (work) => {
    const holder = await pool.connect();
    try {
      // Of the session, not of a transaction: every view has to begin after the last rebuild has ended.
      const { rows } = await holder.query<{ mine: boolean }>(`select pg_try_advisory_lock(${LOCK}) as mine`);
      if (!rows[0]?.mine) {
        throw new FairwayError(
          'input.invalid',
          'Another rebuild of counts is running; start this one when it is done.',
        );
      }
      return await work({
        hours: ({ model, from, to }) => hoursOf(pool, [model, from, to]),
        view: (hour, look) => withTransaction(pool, (client) => look(viewOn(client, hour)), `${ONE_VIEW} read only`),
        add: async (profile, scores) => {
          await withTransaction(pool, (client) => batch(client, appendCounts(profile, scores)));
        },
        settle: (hour, work) => settle(holder, hour, work),
        packed: ({ model, from, to }) => packedIn(pool, model, from, to),
        packedDifference: (packed) => packedDifference(pool, packed),
        unpack: (packed) => unpack(pool, packed),
      });
    } finally {
      // A connection that cannot say so is closed, and the lock goes with it.
      const unlocked = await holder.query(`select pg_advisory_unlock(${LOCK})`).catch((error: Error) => error);
      holder.release(unlocked instanceof Error ? unlocked : undefined);
    }
  },
});

const ONE_VIEW = 'begin isolation level repeatable read';

/**
 * All on the connection that holds the locks: requests with labels that wait may have every other one. What a view writes is
 * committed with it; killed in between, the mark stays, and the hour is counted again from the start.
 */
async function settle<T>(holder: PoolClient, hour: HourOf, work: (steady: SteadySession) => Promise<T>): Promise<T> {
  await holder.query(NO_LABELS);
  try {
    const { model, version, environment, hour: start } = hour;
    const marked = await holder.query<{ revision: string }>(MARKED, [model, version, environment, start]);
    const found = await work({
      view: (of, look) => within(holder, ONE_VIEW, () => look(viewOn(holder, of))),
      add: async (profile, scores) => {
        await within(holder, 'begin', () => batch(holder, appendCounts(profile, scores)));
      },
      fill: async (rows) => {
        await holder.query(FILL, [
          rows.map(({ day }) => day),
          rows.map(({ id }) => id),
          rows.map(({ score }) => score),
        ]);
      },
    });
    for (const { revision } of marked.rows) await forgetUncounted(holder, hour, revision);
    return found;
  } finally {
    await holder.query(LABELS_AGAIN);
  }
}

async function within<T>(client: PoolClient, begin: string, work: () => Promise<T>): Promise<T> {
  await client.query(begin);
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function hoursOf(pool: Pool, [model, from, to]: readonly [string, string, string]): Promise<Hour[]> {
  type Row = { version: string; environment: string; hour: Date; isUncounted: boolean };
  const { rows } = await pool.query<Row>(HOURS, [model, from, to]);
  return rows.map(({ hour, ...rest }) => ({ model, ...rest, hour: iso(hour.getTime()) }));
}

function viewOn(client: PoolClient, hour: HourOf): HourView {
  const key = [hour.model, hour.version, hour.environment, hour.hour];
  return {
    exchanges: async function* () {
      for await (const rows of batches<CallsRow>(client, CALLS, key, PACKS_AT_ONCE)) {
        for (const { frames, positions } of rows) yield await framesAt(frames, positions);
      }
    },
    labelled: async function* () {
      const { model, version, environment, hour: time } = hour;
      for await (const rows of batches<LabelledRow>(client, LABELLED, key, ROWS_AT_ONCE)) {
        yield rows.map((row) => ({ ...row, model, version, environment, time }));
      }
    },
    truths: async (of) => {
      const { rows } = await client.query<{ id: string; label: number }>(TRUTHS, [
        of.map(({ day }) => day),
        of.map(({ id }) => id),
      ]);
      return new Map(rows.map(({ id, label }) => [id, label]));
    },
    stored: async () => ({
      profile: (await client.query<Pick<ProfileCount, 'variable' | 'bin' | 'count'>>(PROFILE, key)).rows.map((row) => ({
        ...hour,
        ...row,
      })),
      scores: (await client.query<Pick<ScoreCount, 'label' | 'bin' | 'count'>>(SCORES, key)).rows.map((row) => ({
        ...hour,
        ...row,
      })),
    }),
  };
}

type CallsRow = { readonly frames: Buffer; readonly positions: readonly number[] };
type LabelledRow = { readonly score: number | null; readonly label: number | null };

/** Rows of a query through a cursor, so many at once. */
async function* batches<T extends object>(
  client: PoolClient,
  sql: string,
  values: readonly string[],
  size: number,
): AsyncGenerator<readonly T[]> {
  await client.query(`declare rebuilt no scroll cursor for ${sql}`, [...values]);
  for (;;) {
    const { rows } = await client.query<T>(`fetch ${size} from rebuilt`);
    if (rows.length > 0) yield rows;
    if (rows.length < size) break;
  }
  await client.query('close rebuilt');
}

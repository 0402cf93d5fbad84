import { type ExchangeHead, FairwayError, iso, type ProfileCount } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { Frame } from '../app/frames.ts';
import type { Hour, HourView, RebuildStore } from '../app/rebuild.ts';
import type { LabelClass, ScoreCount } from '../ports.ts';
import { appendCounts } from './counts.ts';
import { withTransaction } from './database.ts';

/** `FWRB` in ASCII. Two rebuilds would both add what is missing. */
const LOCK = 0x46_57_52_42;

const HOURS = `
select version, environment, hour from monitoring.score_counts where model = $1 and hour >= $2 and hour < $3
union
select version, environment, hour from monitoring.profile_counts where model = $1 and hour >= $2 and hour < $3
union
select version, environment, date_trunc('hour', time, 'UTC') from monitoring.predictions
where model = $1 and time >= $2 and time < $3
order by hour, version, environment`;

const OF_HOUR = `model = $1 and version = $2 and environment = $3 and time >= $4 and time < $4::timestamptz + interval '1 hour'`;

/** An exchange has one time, so all its rows are of one hour. */
const EXCHANGES = `
select convert_to(e.head::text, 'UTF8') as head, e.request, e.response
from (select distinct day, exchange from monitoring.predictions where ${OF_HOUR}) p
join monitoring.exchanges e on e.day = p.day and e.id = p.exchange`;

const LABELLED = `select score, label from monitoring.predictions where ${OF_HOUR}`;

const counts = (kind: 'profile' | 'score', second: string) => `
select bin, ${second}, sum(count)::float8 as count from monitoring.${kind}_counts
where model = $1 and version = $2 and environment = $3 and hour = $4 group by bin, ${second}`;
/** A sum of 0 is what is left of labels that moved; below the baseline's range it says "none". */
const PROFILE = counts('profile', 'variable');
const SCORES = `${counts('score', 'label')} having sum(count) <> 0`;

/** Bodies are of some KiB, and at most some MiB. */
const EXCHANGES_AT_ONCE = 50;
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
        view: (hour, look) =>
          withTransaction(
            pool,
            (client) => look(viewOn(client, hour)),
            'begin isolation level repeatable read read only',
          ),
        add: (profile, scores) => withTransaction(pool, (client) => appendCounts(client, profile, scores)),
      });
    } finally {
      // A connection that cannot say so is closed, and the lock goes with it.
      const unlocked = await holder.query(`select pg_advisory_unlock(${LOCK})`).catch((error: Error) => error);
      holder.release(unlocked instanceof Error ? unlocked : undefined);
    }
  },
});

async function hoursOf(pool: Pool, [model, from, to]: readonly [string, string, string]): Promise<Hour[]> {
  type Row = { version: string; environment: string; hour: Date };
  const { rows } = await pool.query<Row>(HOURS, [model, from, to]);
  return rows.map(({ hour, ...rest }) => ({ model, ...rest, hour: iso(hour.getTime()) }));
}

function viewOn(client: PoolClient, hour: Hour): HourView {
  const key = [hour.model, hour.version, hour.environment, hour.hour];
  return {
    exchanges: async function* () {
      let position = 0;
      for await (const rows of batches<ExchangeRow>(client, EXCHANGES, key, EXCHANGES_AT_ONCE)) {
        yield rows.map((row) => frameOf(row, position++));
      }
    },
    labelled: async function* () {
      const { model, version, environment, hour: time } = hour;
      for await (const rows of batches<LabelledRow>(client, LABELLED, key, ROWS_AT_ONCE)) {
        yield rows.map((row) => ({ ...row, model, version, environment, time }));
      }
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

type ExchangeRow = { readonly head: Buffer; readonly request: Buffer; readonly response: Buffer };
type LabelledRow = { readonly score: number | null; readonly label: LabelClass };

const frameOf = ({ head, request, response }: ExchangeRow, position: number): Frame => ({
  position,
  exchange: { head: JSON.parse(head.toString('utf8')) as ExchangeHead, request, response },
  head,
  bytes: () => Buffer.concat([head, request, response]),
});

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

import type { ProfileCount } from '@fairway/core';
import type { PoolClient } from 'pg';
import type { ScoreCount } from '../ports.ts';

/**
 * Rows come in sorted, and PostgreSQL locks them in that order: two recorders that add to the same hour wait for each
 * other, but never in a circle.
 */
const ADD_PROFILE_COUNTS = `
insert into monitoring.profile_counts as c (model, version, environment, hour, variable, bin, count)
select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::int[], $7::bigint[])
on conflict (model, version, environment, hour, variable, bin) do update set count = c.count + excluded.count`;

const ADD_SCORE_COUNTS = `
insert into monitoring.score_counts as c (model, version, environment, hour, bin, label, count)
select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::int[], $6::smallint[], $7::bigint[])
on conflict (model, version, environment, hour, bin, label) do update set count = c.count + excluded.count`;

/** A new revision tells the monitor that the hour changed again after it looked. */
const MARK_DIRTY = `
insert into monitoring.dirty_hours as d (model, version, environment, hour)
select distinct on (m, v, e, h) m, v, e, h
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as g (m, v, e, h)
order by m, v, e, h
on conflict (model, version, environment, hour)
do update set revision = nextval('monitoring.dirty_revision'), touched_at = clock_timestamp()`;

export async function addProfileCounts(client: PoolClient, counts: readonly ProfileCount[]): Promise<void> {
  if (counts.length === 0) return;
  await client.query(ADD_PROFILE_COUNTS, [
    ...hourColumns(counts),
    counts.map(({ variable }) => variable),
    counts.map(({ bin }) => bin),
    counts.map(({ count }) => count),
  ]);
}

/** Adds score counts and marks their hours for the monitor: every stored or relabelled prediction passes here. */
export async function addScoreCounts(client: PoolClient, counts: readonly ScoreCount[]): Promise<void> {
  if (counts.length === 0) return;
  const hours = hourColumns(counts);
  await client.query(ADD_SCORE_COUNTS, [
    ...hours,
    counts.map(({ bin }) => bin),
    counts.map(({ label }) => label),
    counts.map(({ count }) => count),
  ]);
  await client.query(MARK_DIRTY, hours);
}

type Hourly = Pick<ProfileCount, 'model' | 'version' | 'environment' | 'hour'>;

const hourColumns = (counts: readonly Hourly[]): string[][] => [
  counts.map(({ model }) => model),
  counts.map(({ version }) => version),
  counts.map(({ environment }) => environment),
  counts.map(({ hour }) => hour),
];

import type { ProfileCount } from '@fairway/core';
import type { PoolClient } from 'pg';
import type { ScoreCount } from '../ports.ts';
import { copyProfileDeltas, copyScoreDeltas } from './pack-rows.ts';

/** A new revision tells the monitor that the hour changed again after it looked. */
const MARK_DIRTY = `
insert into monitoring.dirty_hours as d (model, version, environment, hour)
select distinct on (m, v, e, h) m, v, e, h
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as g (m, v, e, h)
order by m, v, e, h
on conflict (model, version, environment, hour)
do update set revision = nextval('monitoring.dirty_revision'), touched_at = clock_timestamp()`;

/** What a pack adds, or labels move. It is appended, not added up: two packs of the same hour do not wait for each other. */
export async function appendCounts(
  client: PoolClient,
  profile: readonly ProfileCount[],
  scores: readonly ScoreCount[],
): Promise<void> {
  // Of a pack and of labels, the scores name every hour; a mended hour may lack profile counts alone.
  const touched: readonly Hourly[] = scores.length > 0 ? scores : profile;
  if (touched.length === 0) return;
  await copyProfileDeltas(client, profile);
  await copyScoreDeltas(client, scores);
  // Last: what marks the same hour waits until the commit.
  const hours = [...new Map(touched.map((each) => [hourKey(each), each])).values()];
  await client.query({ name: 'mark-dirty', text: MARK_DIRTY, values: hourColumns(hours) });
}

const hourKey = ({ model, version, environment, hour }: Hourly): string =>
  [model, version, environment, hour].join('\u0001');

type Hourly = Pick<ProfileCount, 'model' | 'version' | 'environment' | 'hour'>;

const hourColumns = (counts: readonly Hourly[]): string[][] => [
  counts.map(({ model }) => model),
  counts.map(({ version }) => version),
  counts.map(({ environment }) => environment),
  counts.map(({ hour }) => hour),
];

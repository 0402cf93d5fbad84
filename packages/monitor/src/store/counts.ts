import type { ProfileCount } from '@fairway/core';
import type { ScoreCount } from '../ports.ts';
import { type Part, textArray } from './batch.ts';
import { type AppendedCounts, copyAppended } from './pack-rows.ts';

/** A new revision tells the monitor that the hour changed again after it looked. */
const MARK_DIRTY = `
insert into monitoring.dirty_hours as d (model, version, environment, hour)
select distinct on (m, v, e, h) m, v, e, h
from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as g (m, v, e, h)
order by m, v, e, h
on conflict (model, version, environment, hour)
do update set revision = nextval('monitoring.dirty_revision'), touched_at = clock_timestamp()`;

/** What a pack adds, or labels move. It is appended, not added up: two packs of the same hour do not wait for each other. */
export function appendCounts(profile: readonly ProfileCount[], scores: readonly ScoreCount[]): Part[] {
  const hours = byHour(profile, scores);
  if (hours.length === 0) return [];
  // Last: what marks the same hour waits until the commit.
  return [...copyAppended(hours), { name: 'mark-dirty', text: MARK_DIRTY, values: hourColumns(hours) }];
}

type Hourly = Pick<ProfileCount, 'model' | 'version' | 'environment' | 'hour'>;
type OfHour = Hourly & { readonly profile: ProfileCount[]; readonly scores: ScoreCount[] };

/** The counts of each model, version, environment and hour. They come hour by hour: the last one is tried first. */
function byHour(profile: readonly ProfileCount[], scores: readonly ScoreCount[]): AppendedCounts[] {
  const groups = new Map<string, OfHour>();
  let last: OfHour | undefined;
  const groupOf = ({ model, version, environment, hour }: Hourly): OfHour => {
    if (last?.hour === hour && last.version === version && last.environment === environment && last.model === model) {
      return last;
    }
    const key = [model, version, environment, hour].join('\u0001');
    last = groups.get(key) ?? { model, version, environment, hour, profile: [], scores: [] };
    groups.set(key, last);
    return last;
  };
  for (const count of profile) groupOf(count).profile.push(count);
  for (const count of scores) groupOf(count).scores.push(count);
  return [...groups.values()];
}

const hourColumns = (counts: readonly Hourly[]): string[] =>
  (['model', 'version', 'environment', 'hour'] as const).map((key) => textArray(counts.map((each) => each[key])));

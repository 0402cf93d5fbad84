import { iso, type Window } from '@fairway/core';
import type { Pool } from 'pg';
import type { PeriodLength } from '../policy/schema.ts';
import { LENGTH } from './window-starts.ts';

/** Forward from window to window through the primary key; what is not folded yet is read as a whole. */
const FIRST_STARTS = `
with recursive found as (
  (select hour from monitoring.score_counts
   where model = $1 and version = $2 and environment = $3 and hour < $4 and count > 0 order by hour limit 1)
  union all
  select next.hour from found cross join lateral (
    select c.hour from monitoring.score_counts c
    where c.model = $1 and c.version = $2 and c.environment = $3 and c.hour < $4 and c.count > 0
      and c.hour >= (date_trunc($5, found.hour at time zone 'UTC') + $6::interval) at time zone 'UTC'
    order by c.hour limit 1
  ) next
), folded as (select hour from found limit $7)
select date_trunc($5, hour, 'UTC') as start from folded
union
select date_trunc($5, hour, 'UTC') from monitoring.appended_counts
where model = $1 and version = $2 and environment = $3 and hour < $4 and 0 < any(score_counts)
order by start limit $7`;

/** Starts of the oldest windows of a version that hold predictions, up to this window itself, oldest first. */
export async function firstStarts(
  pool: Pool,
  { model, version, environment, end }: Pick<Window, 'model' | 'version' | 'environment' | 'end'>,
  every: PeriodLength,
  limit: number,
): Promise<string[]> {
  const values = [model, version, environment, end, every, LENGTH[every], limit];
  const { rows } = await pool.query<{ start: Date }>(FIRST_STARTS, values);
  return rows.map(({ start }) => iso(start.getTime()));
}

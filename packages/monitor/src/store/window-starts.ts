import { iso } from '@fairway/core';
import type { Pool } from 'pg';
import type { WindowStarts } from '../app/windows.ts';
import type { PeriodLength } from '../policy/schema.ts';

/**
 * From window to window through the primary key, so that the cost grows with the windows and not with the counts in them;
 * what is not folded yet is read as a whole. Half-open UTC periods: sums of local times would slip with daylight saving.
 */
const STARTS = `
with recursive found as (
  (select version, environment, hour from monitoring.score_counts
   where model = $1 order by version, environment, hour limit 1)
  union all
  select next.version, next.environment, next.hour from found
  cross join lateral (
    select c.version, c.environment, c.hour from monitoring.score_counts c
    where c.model = $1 and (c.version, c.environment, c.hour) >= (found.version, found.environment,
      (date_trunc($2, found.hour at time zone 'UTC') + $3::interval) at time zone 'UTC')
    order by c.version, c.environment, c.hour limit 1
  ) next
)
select version, environment, start from (
  select version, environment, date_trunc($2, hour, 'UTC') as start from found
  union
  select version, environment, date_trunc($2, hour, 'UTC') from monitoring.appended_counts where model = $1 and score_counts <> '{}'
) starts
where $4::text is null or environment = $4
order by start desc, environment desc, version desc limit $5`;

/** As PostgreSQL's intervals. */
export const LENGTH: Readonly<Record<PeriodLength, string>> = {
  hour: '1 hour',
  day: '1 day',
  week: '1 week',
  month: '1 month',
  quarter: '3 months',
};

/** Where a model has counts, in PostgreSQL. */
export const windowStarts =
  (pool: Pool): WindowStarts =>
  async ({ model, environment, every, last }) => {
    type Row = { version: string; environment: string; start: Date };
    const { rows } = await pool.query<Row>(STARTS, [model, every, LENGTH[every], environment ?? null, last]);
    return rows.map(({ start, ...rest }) => ({ ...rest, start: iso(start.getTime()) }));
  };

import { iso } from '@fairway/core';
import type { ClientBase, Pool } from 'pg';
import type { HourOf } from '../ports.ts';
import { type Ask, textArray } from './batch.ts';

/** A new revision: what is counted again meanwhile has not seen this pack. */
const MARK = `
insert into monitoring.uncounted_hours as u (model, version, environment, hour)
select m, v, e, h from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as g (m, v, e, h) order by m, v, e, h
on conflict (model, version, environment, hour) do update set revision = nextval('monitoring.dirty_revision')`;

const NEXT = `
select u.model, u.hour from monitoring.uncounted_hours u
where exists (select from monitoring.model_references r where r.model = u.model and r.version = u.version)
order by u.hour limit 1`;

const FORGET = `
delete from monitoring.uncounted_hours
where model = $1 and version = $2 and environment = $3 and hour = $4 and revision = $5`;

/** Of a pack with predictions of versions that nobody knows yet. */
export const markUncounted = (hours: readonly HourOf[]): Ask[] =>
  hours.length === 0
    ? []
    : [
        {
          name: 'mark-uncounted',
          text: MARK,
          values: (['model', 'version', 'environment', 'hour'] as const).map((key) =>
            textArray(hours.map((hour) => hour[key])),
          ),
        },
      ];

/** The oldest hour whose version has become known. */
export async function nextUncounted(pool: Pool): Promise<Pick<HourOf, 'model' | 'hour'> | undefined> {
  const [found] = (await pool.query<{ model: string; hour: Date }>(NEXT)).rows;
  return found && { model: found.model, hour: iso(found.hour.getTime()) };
}

/** Unless it was marked again since `revision`. */
export async function forgetUncounted(
  client: ClientBase,
  { model, version, environment, hour }: HourOf,
  revision: string,
): Promise<void> {
  await client.query(FORGET, [model, version, environment, hour, revision]);
}

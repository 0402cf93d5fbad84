import { COUNTS_LOCK } from '../counts-lock.ts';

/**
 * The counts of an hour, a day or a month in one row, so that a window is read in a handful of rows however many predictions it
 * holds. Made from `score_counts` and `profile_counts` (store/pack-counts.ts), never instead of them.
 *
 * Of every hour with counts there is a packed row, or a line in `unpacked_counts`: whatever changes the counts, the recorder's
 * fold, an older recorder or a hand, the triggers take the packed rows of its hour, day and month away in the same statement. An
 * hour that had been packed (late labels) waits a minute for the next change. The lock is the packer's and the fold's own.
 */
export const packedCounts = `
create table monitoring.packed_counts (
  model text not null,
  version text not null,
  environment text not null,
  span text not null check (span in ('hour', 'day', 'month')),
  start timestamptz not null,
  until timestamptz not null,
  body text not null,
  primary key (model, version, environment, span, start)
);
comment on table monitoring.packed_counts is 'Sums of score_counts and profile_counts, as JSON';
create table monitoring.unpacked_counts (
  model text not null,
  version text not null,
  environment text not null,
  span text not null,
  start timestamptz not null,
  until timestamptz not null,
  due timestamptz not null,
  primary key (model, version, environment, span, start)
);
create index unpacked_counts_due on monitoring.unpacked_counts (due);

create function monitoring.unpack_counts() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(${COUNTS_LOCK});
  with hours as (
    select distinct model, version, environment, hour from touched
  ), gone as (
    delete from monitoring.packed_counts p
    using hours h cross join lateral (values
      ('hour', h.hour), ('day', date_trunc('day', h.hour, 'UTC')), ('month', date_trunc('month', h.hour, 'UTC'))
    ) as s (span, start)
    where p.model = h.model and p.version = h.version and p.environment = h.environment and p.span = s.span and p.start = s.start
    returning p.model, p.version, p.environment, p.span, p.start
  )
  insert into monitoring.unpacked_counts as u (model, version, environment, span, start, until, due)
  select h.model, h.version, h.environment, 'hour', h.hour, h.hour + interval '1 hour',
    case when g.span is null then h.hour + interval '1 hour' else clock_timestamp() + interval '1 minute' end
  from hours h left join gone g
    on g.model = h.model and g.version = h.version and g.environment = h.environment and g.span = 'hour' and g.start = h.hour
  order by 1, 2, 3, 5
  on conflict (model, version, environment, span, start) do update set due = greatest(u.due, excluded.due);
  return null;
end $$;

create function monitoring.unpack_all() returns trigger language plpgsql as $$
begin
  delete from monitoring.packed_counts;
  insert into monitoring.unpacked_counts (model, version, environment, span, start, until, due)
  select model, version, environment, 'hour', hour, hour + interval '1 hour', clock_timestamp() from only monitoring.score_counts
  union
  select model, version, environment, 'hour', hour, hour + interval '1 hour', clock_timestamp() from only monitoring.profile_counts
  on conflict do nothing;
  return null;
end $$;
${['score', 'profile']
  .map(
    (kind) => `
create trigger unpack_inserted after insert on monitoring.${kind}_counts
  referencing new table as touched for each statement execute function monitoring.unpack_counts();
create trigger unpack_updated after update on monitoring.${kind}_counts
  referencing old table as touched for each statement execute function monitoring.unpack_counts();
create trigger unpack_deleted after delete on monitoring.${kind}_counts
  referencing old table as touched for each statement execute function monitoring.unpack_counts();
create trigger unpack_truncated after truncate on monitoring.${kind}_counts
  for each statement execute function monitoring.unpack_all();`,
  )
  .join('')}

insert into monitoring.unpacked_counts (model, version, environment, span, start, until, due)
select model, version, environment, 'hour', hour, hour + interval '1 hour', greatest(hour + interval '1 hour', now()) from only monitoring.score_counts
union
select model, version, environment, 'hour', hour, hour + interval '1 hour', greatest(hour + interval '1 hour', now()) from only monitoring.profile_counts;
`;

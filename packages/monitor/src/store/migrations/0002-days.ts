/**
 * Exchanges and predictions by day, so that retention drops a table instead of deleting rows. `day` is the day that the
 * id was given on (`dayOfId` in core; ids that name none: the business day), so an id alone finds its partition. Days
 * without a partition of their own go into the default one: nothing is ever refused.
 *
 * The queryable view is `json`: the text is checked and kept, where `jsonb` costs two thirds of the whole COPY (capture
 * reference §6.1); `->>` reads it all the same. Ids compare by bytes.
 */
export const days = `
alter table monitoring.exchanges rename to exchanges_undated;
alter table monitoring.exchanges_undated drop constraint exchanges_pkey;
alter table monitoring.predictions rename to predictions_undated;
alter table monitoring.predictions_undated drop constraint predictions_pkey;
drop index monitoring.predictions_correlation;
drop index monitoring.predictions_window;

create table monitoring.exchanges (
  day date not null,
  id text collate "C" not null,
  model text not null,
  version text not null,
  environment text not null,
  time timestamptz,
  status integer not null,
  outcome text not null,
  latency_ms double precision not null,
  correlation_id text,
  request bytea not null,
  response bytea not null,
  head json not null,
  instances integer not null,
  reason text,
  primary key (day, id)
) partition by range (day);
create table monitoring.exchanges_default partition of monitoring.exchanges default;

create table monitoring.predictions (
  day date not null,
  id text collate "C" not null,
  exchange text collate "C" not null,
  model text not null,
  version text not null,
  version_source text not null,
  environment text not null,
  time timestamptz not null,
  score double precision,
  inputs json not null,
  outputs json not null,
  latency_ms double precision not null,
  status integer not null,
  correlation_id text,
  label smallint not null check (label in (-1, 0, 1)),
  observed_at timestamptz,
  primary key (day, id)
) partition by range (day);
create index predictions_correlation on monitoring.predictions (correlation_id) where correlation_id is not null;
create index predictions_time on monitoring.predictions using brin (time);
create table monitoring.predictions_default partition of monitoring.predictions default;

create function monitoring.input_cell(inputs json, name text) returns text language sql immutable parallel safe as $$
  select case when btrim(inputs->>name, E' \\t\\r\\n') in ('', '.', 'NA', 'NaN', 'nan') then null
    else btrim(inputs->>name, E' \\t\\r\\n') end
$$;
comment on function monitoring.input_cell(json, text) is 'Trimmed text of an input, null where it is missing';

-- What the day of an id is, for the rows that are here already; from now on the recorder says it.
create function pg_temp.day_of(id text, at timestamptz) returns date language sql as $$
  select case
    when id ~ '^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}(-[0-9]+)?$'
      and ('x0000' || substr(id, 1, 12))::bit(64)::bigint < 253402300800000
    then (timestamp 'epoch' + ('x0000' || substr(id, 1, 12))::bit(64)::bigint * interval '1 millisecond')::date
    else (coalesce(at, now()) at time zone 'UTC')::date
  end
$$;
insert into monitoring.exchanges
select pg_temp.day_of(id, time), id, model, version, environment, time, status, outcome, latency_ms, correlation_id, request,
  response, head, instances, reason
from monitoring.exchanges_undated;
insert into monitoring.predictions
select pg_temp.day_of(id, time), id, exchange, model, version, version_source, environment, time, score, inputs::json, outputs::json,
  latency_ms, status, correlation_id, label, observed_at
from monitoring.predictions_undated;
drop table monitoring.exchanges_undated;
drop table monitoring.predictions_undated;
drop function monitoring.input_cell(jsonb, text);

-- Packs append their counts; a fold adds them up later (store/fold-counts.ts). As children of the tables they are read with them.
create table monitoring.profile_deltas () inherits (monitoring.profile_counts);
create table monitoring.score_deltas () inherits (monitoring.score_counts);

create table monitoring.quarantined_exchanges (
  pack_id text not null,
  position integer not null,
  reason text not null,
  frame bytea not null,
  primary key (pack_id, position)
);
comment on table monitoring.quarantined_exchanges is 'Exchanges that PostgreSQL refused, as they stood in their pack';

alter table monitoring.quarantined_packs drop constraint quarantined_packs_pack_id_fkey;
alter table monitoring.quarantined_packs add foreign key (pack_id) references monitoring.packs on delete cascade;
create index packs_recorded on monitoring.packs using brin (recorded_at);
`;

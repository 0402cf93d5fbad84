import { inflate } from './0007-inflate.ts';

/**
 * One slim row for an ordinary call, which nothing ever updates: 0.4 × the server's CPU and a third of the log of two wide ones.
 *
 * - `pack_frames`: the faithful bytes, one value for each pack and day, gzip'd as the agent sent it (`inflate` reads it in SQL).
 * - `streams`: what all rows of a version in an environment say alike. Its id follows from the texts, so nobody looks it up.
 * - `prediction_rows`: `position` says where in the frames the call stands, when the call gave this prediction and no other.
 * - `exchange_rows`: all other calls. Where there is a `reason` somebody will look, so these have their bytes at hand.
 * - `prediction_labels`: a label as it stands now; 0 or 1 for a class, and wide enough for the true value of a number.
 *
 * `exchanges` and `predictions` are views with the columns that the tables had.
 */
export const slimRows = `
alter table monitoring.packs add column number bigint generated always as identity;

create function monitoring.stream_id(model text, version text, version_source text, environment text) returns bigint
language sql immutable parallel safe as $$
  select ('x000' || left(encode(sha256(convert_to(string_agg(octet_length(field) || ':' || field, '' order by n), 'UTF8')), 'hex'), 13))::bit(64)::bigint
  from unnest(array[model, version, version_source, environment]) with ordinality f (field, n)
$$;
create table monitoring.streams (
  id bigint primary key,
  model text not null,
  version text not null,
  version_source text not null,
  environment text not null
);

create table monitoring.pack_frames (
  day date not null,
  pack bigint not null,
  frames bytea not null,
  primary key (day, pack)
) partition by range (day);
alter table monitoring.pack_frames alter frames set storage external;
comment on table monitoring.pack_frames is 'Exchanges of a pack as the agent framed them; a gzip, or frames one after the other';

create table monitoring.exchange_rows (
  day date not null,
  id text collate "C" not null,
  stream bigint not null,
  time timestamptz,
  status integer not null,
  outcome text not null,
  latency_ms double precision not null,
  correlation_id text,
  sampling double precision,
  pack bigint not null,
  position integer not null,
  head bytea,
  request bytea,
  response bytea,
  instances integer not null,
  reason text,
  primary key (day, id)
) partition by range (day);

create table monitoring.prediction_rows (
  time timestamptz not null,
  score double precision,
  latency_ms double precision not null,
  pack bigint not null,
  stream bigint not null,
  day date not null,
  position integer,
  status integer not null,
  id text collate "C" not null,
  inputs json not null,
  outputs json not null,
  correlation_id text,
  sampling double precision,
  primary key (day, id)
) partition by range (day);
-- Of the hash: no text is too long for it, and a lookup over all days reads a third of the pages.
create index prediction_rows_correlation on monitoring.prediction_rows (hashtextextended(correlation_id, 0))
  where correlation_id is not null;
create index prediction_rows_time on monitoring.prediction_rows using brin (time);

create table monitoring.prediction_labels (
  day date not null,
  label double precision not null,
  observed_at timestamptz,
  id text collate "C" not null,
  primary key (day, id)
) partition by range (day);

do $$
declare
  name text;
  suffix text;
begin
  foreach name in array array['pack_frames', 'exchange_rows', 'prediction_rows', 'prediction_labels'] loop
    execute format('create table monitoring.%I partition of monitoring.%I default', name || '_default', name);
    for suffix in
      select distinct right(c.relname, 8) from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent in ('monitoring.exchanges'::regclass, 'monitoring.predictions'::regclass) and c.relname ~ '_[0-9]{8}$'
    loop
      execute format('create table monitoring.%I partition of monitoring.%I for values from (%L) to (%L)',
        name || '_' || suffix, name, suffix::date, suffix::date + 1);
    end loop;
  end loop;
end
$$;

insert into monitoring.streams
select monitoring.stream_id(model, version, version_source, environment), * from (
  select distinct model, version, version_source, environment from monitoring.predictions
  union
  select distinct model, version, coalesce(head->>'versionSource', ''), environment from monitoring.exchanges
) as found;

-- What is here already was of packs that nobody can name any more: they get numbers below zero.
create temp table framed on commit drop as
select day, id, - 1 - number / 100 as pack, (number % 100)::integer as position, sole
from (
  select e.day, e.id, row_number() over (partition by e.day order by e.id) - 1 as number,
    e.instances = 1 and e.reason is null and exists (
      select from monitoring.predictions p where p.day = e.day and p.id = e.id || '-0') as sole
  from monitoring.exchanges e
) as numbered;
create index on pg_temp.framed (day, id);
analyze pg_temp.framed;

insert into monitoring.pack_frames (day, pack, frames)
select f.day, f.pack, string_agg(int4send(octet_length(h.head)) || h.head || int4send(octet_length(e.request)) || e.request
  || int4send(octet_length(e.response)) || e.response, '' order by f.position)
from monitoring.exchanges e
join pg_temp.framed f on f.day = e.day and f.id = e.id
cross join lateral (select convert_to(e.head::text, 'UTF8') as head) h
group by f.day, f.pack;

insert into monitoring.exchange_rows
select e.day, e.id, monitoring.stream_id(e.model, e.version, coalesce(e.head->>'versionSource', ''), e.environment), e.time, e.status,
  e.outcome, e.latency_ms, e.correlation_id, (e.head->>'sampling')::double precision, f.pack, f.position,
  case when e.reason is not null then convert_to(e.head::text, 'UTF8') end, case when e.reason is not null then e.request end,
  case when e.reason is not null then e.response end, e.instances, e.reason
from monitoring.exchanges e join pg_temp.framed f on f.day = e.day and f.id = e.id
where not f.sole;

insert into monitoring.prediction_rows
select p.time, p.score, p.latency_ms, coalesce(f.pack, 0), monitoring.stream_id(p.model, p.version, p.version_source, p.environment),
  p.day, case when f.sole then f.position end, p.status, p.id, p.inputs, p.outputs, p.correlation_id,
  (e.head->>'sampling')::double precision
from monitoring.predictions p
left join pg_temp.framed f on f.day = p.day and f.id = p.exchange
left join monitoring.exchanges e on e.day = p.day and e.id = p.exchange;

insert into monitoring.prediction_labels (day, label, observed_at, id)
select day, label, observed_at, id from monitoring.predictions where label >= 0;

drop view monitoring.failures;
drop table monitoring.exchanges;
drop table monitoring.predictions;
${inflate}
create view monitoring.predictions as
select p.day, p.id, regexp_replace(p.id, '-[0-9]+$', '') as exchange, s.model, s.version, s.version_source, s.environment, p.time,
  p.score, p.inputs, p.outputs, p.latency_ms, p.status, p.correlation_id, coalesce(l.label, -1)::smallint as label, l.observed_at,
  p.sampling
from monitoring.prediction_rows p
join monitoring.streams s on s.id = p.stream
left join monitoring.prediction_labels l on l.day = p.day and l.id = p.id;
comment on column monitoring.predictions.sampling is 'Probability with which its agent recorded calls, null for all of them';

create view monitoring.exchanges as
select e.day, e.id, s.model, s.version, s.environment, e.time, e.status, e.outcome, e.latency_ms, e.correlation_id,
  coalesce(e.request, monitoring.frame_part(e.day, e.pack, e.position, 2)) as request,
  coalesce(e.response, monitoring.frame_part(e.day, e.pack, e.position, 3)) as response,
  monitoring.json_or_null(coalesce(e.head, monitoring.frame_part(e.day, e.pack, e.position, 1))) as head,
  e.instances, e.reason, e.sampling
from monitoring.exchange_rows e join monitoring.streams s on s.id = e.stream
union all
select p.day, left(p.id, -2), s.model, s.version, s.environment, p.time, p.status, 'complete', p.latency_ms, p.correlation_id,
  monitoring.frame_part(p.day, p.pack, p.position, 2), monitoring.frame_part(p.day, p.pack, p.position, 3),
  monitoring.json_or_null(monitoring.frame_part(p.day, p.pack, p.position, 1)), 1, null, p.sampling
from monitoring.prediction_rows p join monitoring.streams s on s.id = p.stream
where p.position is not null;
comment on view monitoring.exchanges is 'Every recorded call; request, response and head of ordinary ones are taken from their pack when they are asked for';

create view monitoring.failures as
select e.day, e.id, s.model, s.version, s.environment, e.time, e.status, e.outcome, e.reason, e.latency_ms, e.correlation_id,
  e.response as error_body
from monitoring.exchange_rows e join monitoring.streams s on s.id = e.stream
where e.outcome <> 'complete' or e.status <> 200;
comment on view monitoring.failures is 'Calls without an answer or with an error: one row each, in no count of predictions';
`;

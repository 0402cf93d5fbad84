/** Tables of the recorder and the monitor. Counts are bigint: they only ever grow by addition. */
export const first = `
create table monitoring.packs (
  pack_id text primary key,
  agent text not null,
  epoch text not null,
  first bigint not null,
  last bigint not null,
  model text not null,
  exchanges integer not null,
  stored integer not null,
  quarantined integer not null,
  dropped jsonb not null,
  recorded_at timestamptz not null default now()
);
create index packs_model on monitoring.packs (model, agent, epoch, last);

create table monitoring.quarantined_packs (
  pack_id text primary key references monitoring.packs,
  reason text not null,
  payload text not null
);

create table monitoring.exchanges (
  id text primary key,
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
  reason text
);

create table monitoring.predictions (
  id text primary key,
  exchange text not null,
  model text not null,
  version text not null,
  version_source text not null,
  environment text not null,
  time timestamptz not null,
  score double precision,
  inputs jsonb not null,
  outputs jsonb not null,
  latency_ms double precision not null,
  status integer not null,
  correlation_id text,
  label smallint not null check (label in (-1, 0, 1)),
  observed_at timestamptz
);
create index predictions_correlation on monitoring.predictions (correlation_id) where correlation_id is not null;
create index predictions_window on monitoring.predictions (model, version, environment, time);

create function monitoring.input_cell(inputs jsonb, name text) returns text language sql immutable parallel safe as $$
  select case when btrim(inputs->>name, E' \\t\\r\\n') in ('', '.', 'NA', 'NaN', 'nan') then null
    else btrim(inputs->>name, E' \\t\\r\\n') end
$$;
comment on function monitoring.input_cell is 'Trimmed text of an input, null where it is missing';

create table monitoring.early_labels (
  key text primary key,
  label smallint not null check (label in (0, 1)),
  observed_at timestamptz,
  received_at timestamptz not null default now()
);

create table monitoring.profile_counts (
  model text not null,
  version text not null,
  environment text not null,
  hour timestamptz not null,
  variable text not null,
  bin integer not null,
  count bigint not null,
  primary key (model, version, environment, hour, variable, bin)
);

create table monitoring.score_counts (
  model text not null,
  version text not null,
  environment text not null,
  hour timestamptz not null,
  bin integer not null,
  label smallint not null,
  count bigint not null,
  primary key (model, version, environment, hour, bin, label)
);

create sequence monitoring.dirty_revision;
create table monitoring.dirty_hours (
  model text not null,
  version text not null,
  environment text not null,
  hour timestamptz not null,
  revision bigint not null default nextval('monitoring.dirty_revision'),
  touched_at timestamptz not null default clock_timestamp(),
  primary key (model, version, environment, hour)
);

create table monitoring.model_references (
  model text not null,
  version text not null,
  model_version json not null,
  baseline json not null,
  primary key (model, version)
);

create table monitoring.policies (
  model text primary key,
  blob text not null,
  text text not null,
  problem text,
  seen_at timestamptz not null default now()
);

create table monitoring.verdicts (
  id text primary key,
  model text not null,
  version text not null,
  environment text not null,
  start timestamptz not null,
  body text not null,
  judged_at timestamptz not null,
  revision bigint not null generated always as identity
);
create index verdicts_window on monitoring.verdicts (model, environment, start, version, revision desc);

create table monitoring.outbox (
  delivery_id text primary key,
  kind text not null check (kind in ('card', 'retrain')),
  event text not null,
  title text not null,
  model text not null,
  version text not null,
  environment text not null,
  payload json not null,
  state text not null default 'pending' check (state in ('pending', 'accepted', 'dead', 'held')),
  attempts integer not null default 0,
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  decided_at timestamptz,
  settled_at timestamptz,
  reason text,
  link text
);
create index outbox_due on monitoring.outbox (kind, due_at) where state = 'pending';
`;

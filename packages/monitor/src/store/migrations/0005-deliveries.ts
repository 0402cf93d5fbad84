/**
 * A card in the outbox is an event; what goes to each channel because of it is a delivery with a state of its own, so that a
 * dead channel neither repeats nor blocks another. Cards of the version before went to Teams alone.
 */
export const deliveries = `
create table monitoring.deliveries (
  delivery_id text primary key,
  channel text not null,
  event text not null,
  title text not null,
  content json not null,
  link text,
  state text not null default 'pending' check (state in ('pending', 'accepted', 'dead')),
  attempts integer not null default 0,
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  queued_at timestamptz not null default now(),
  settled_at timestamptz,
  reason text
);
comment on column monitoring.deliveries.queued_at is 'When it was created, or last resent by a person';
create index deliveries_due on monitoring.deliveries (channel, due_at) where state = 'pending';
create index deliveries_newest on monitoring.deliveries (created_at desc);

insert into monitoring.deliveries (delivery_id, channel, event, title, content, link, state, attempts, due_at, created_at, settled_at, reason)
select delivery_id, 'teams', event, title,
  json_build_object('event', event, 'title', title, 'text', '', 'facts', '[]'::json,
    'links', case when link is null then '[]'::json else json_build_array(json_build_object('title', 'Open the dashboard', 'url', link)) end,
    'deliveryId', delivery_id, 'tone', 'default'),
  link, state, attempts, due_at, created_at, settled_at, reason
from monitoring.outbox where kind = 'card' and state in ('pending', 'accepted', 'dead');
update monitoring.outbox set state = 'accepted', settled_at = now() where kind = 'card' and state = 'pending';
`;

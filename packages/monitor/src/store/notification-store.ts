import { iso } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type {
  Channel,
  ChannelFigures,
  Delivery,
  DueDelivery,
  Notification,
  NotificationState,
  NotificationStore,
  PendingCard,
  Settled,
} from '../ports/notify.ts';
import { withTransaction } from './database.ts';

/** `FWNP` in ASCII: one monitor plans, the others go on. */
const PLAN_LOCK = 'select pg_try_advisory_xact_lock(1180126800) as mine';

const DUE_CARDS = `
select delivery_id as id, event, title, model, payload -> 'content' as content, payload -> 'to' as "to", link, decided_at is not null as held,
  extract(epoch from clock_timestamp() - created_at)::float8 * 1000 as "ageMs"
from monitoring.outbox where kind = 'card' and state = 'pending' and due_at <= now()
order by created_at, delivery_id limit 5000 for update`;

const INSERT_DELIVERY = `
insert into monitoring.deliveries (delivery_id, channel, event, title, content, link, reason, state, settled_at)
values ($1, $2, $3, $4, $5, $6, $7::text, case when $7::text is null then 'pending' else 'dead' end,
  case when $7::text is null then null else clock_timestamp() end) on conflict (delivery_id) do nothing`;

const CARDS_DONE = `
update monitoring.outbox set state = 'accepted', settled_at = now() where delivery_id = any($1)`;

/** Of a card, decided means held. */
const HOLD_CARDS = `
update monitoring.outbox set due_at = $2, decided_at = now(), reason = $3 where delivery_id = any($1)`;

/** The lock is that of the transaction: it goes with the process, so a crash frees the delivery at once. */
const CLAIM = `
select delivery_id as "deliveryId", content, attempts, extract(epoch from clock_timestamp() - queued_at)::float8 * 1000 as "ageMs"
from monitoring.deliveries where channel = $1 and state = 'pending' and due_at <= now()
order by due_at, created_at, delivery_id limit 1 for update skip locked`;

const SETTLE = `
update monitoring.deliveries set state = $2, attempts = attempts + 1, reason = $3,
  due_at = clock_timestamp() + make_interval(secs => $4::float8 / 1000), settled_at = case when $2 = 'pending' then null else clock_timestamp() end
where delivery_id = $1`;

const PAUSE_CHANNEL = `
update monitoring.deliveries set due_at = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
where delivery_id in (
  select delivery_id from monitoring.deliveries
  where channel = $1 and state = 'pending' and due_at < clock_timestamp() + make_interval(secs => $2::float8 / 1000)
  for update skip locked)`;

const NOTIFICATIONS = `
select * from (
  select delivery_id as "deliveryId", channel, event, title, coalesce(settled_at, created_at) as at, state, attempts, reason, link, created_at
  from monitoring.deliveries where $2::text is null or state = $2
  union all
  select delivery_id, 'all', event, title, created_at, state, 0, reason, link, created_at
  from monitoring.outbox where kind = 'card' and state = 'pending' and ($2::text is null or $2 = 'pending')
) both_of_them
order by created_at desc, "deliveryId" limit $1`;

const RESEND = `
update monitoring.deliveries set state = 'pending', attempts = 0, reason = null, due_at = now(), queued_at = now(), settled_at = null
where state = 'dead' and ($1::text[] is null or delivery_id = any($1)) and channel = any($2) returning delivery_id as id`;

const FIGURES = `
select channel, count(*) filter (where state = 'pending')::int as pending, count(*) filter (where state = 'accepted')::int as accepted,
  count(*) filter (where state = 'dead')::int as dead,
  extract(epoch from max(settled_at) filter (where state = 'accepted'))::float8 as "lastAccepted"
from monitoring.deliveries group by channel order by channel`;

/** What people are told, in PostgreSQL. */
export function notificationStore(pool: Pool): NotificationStore {
  return {
    plan: (work) =>
      withTransaction(pool, async (client) => {
        const { rows } = await client.query<{ mine: boolean }>(PLAN_LOCK);
        return rows[0]?.mine === true ? carryOut(client, work) : 0;
      }),
    attempt: (channel, work) => withTransaction(pool, (client) => attempt(client, channel, work)),
    notifications: async (limit, state) => {
      const { rows } = await pool.query<NotificationRow>(NOTIFICATIONS, [limit, state ?? null]);
      return rows.map(notification);
    },
    resend: async (ids, channels) =>
      (await pool.query<{ id: string }>(RESEND, [ids ?? null, channels])).rows.map(({ id }) => id),
    figures: async () => (await pool.query<FiguresRow>(FIGURES)).rows.map(figures),
  };
}

type CardRow = Omit<PendingCard, 'link' | 'to'> & { link: string | null; to: readonly string[] | null };

async function carryOut(client: PoolClient, work: Parameters<NotificationStore['plan']>[0]): Promise<number> {
  const { rows } = await client.query<CardRow>(DUE_CARDS);
  if (rows.length === 0) return 0;
  const { deliveries, done, hold } = work(rows.map(card));
  let added = 0;
  for (const delivery of deliveries) added += (await client.query(INSERT_DELIVERY, values(delivery))).rowCount ?? 0;
  if (done.length > 0) await client.query(CARDS_DONE, [done]);
  if (hold !== undefined) await client.query(HOLD_CARDS, [hold.ids, iso(hold.until), hold.reason]);
  return added;
}

const card = ({ link, to, ...row }: CardRow): PendingCard => ({ ...row, link: link ?? undefined, to: to ?? undefined });

const values = ({ deliveryId, channel, event, title, content, link, dead }: Delivery): unknown[] => [
  deliveryId,
  channel,
  event,
  title,
  JSON.stringify(content),
  link ?? null,
  dead ?? null,
];

async function attempt(
  client: PoolClient,
  channel: Channel,
  work: (due: DueDelivery) => Promise<Settled>,
): Promise<boolean> {
  const [due] = (await client.query<DueDelivery>(CLAIM, [channel])).rows;
  if (due === undefined) return false;
  const settled = await work(due);
  const delayMs = settled.state === 'pending' ? settled.delayMs : 0;
  await client.query(SETTLE, [due.deliveryId, settled.state, settled.reason ?? null, delayMs]);
  if (settled.state === 'pending' && settled.pauseMs > 0) await client.query(PAUSE_CHANNEL, [channel, settled.pauseMs]);
  return true;
}

type NotificationRow = Omit<Notification, 'at' | 'reason' | 'link'> & {
  at: Date;
  reason: string | null;
  link: string | null;
};

const notification = (row: NotificationRow): Notification => ({
  deliveryId: row.deliveryId,
  channel: row.channel,
  event: row.event,
  title: row.title,
  at: iso(row.at.getTime()),
  state: row.state,
  attempts: row.attempts,
  ...(row.reason === null ? {} : { reason: row.reason }),
  ...(row.link === null ? {} : { link: row.link }),
});

type FiguresRow = Record<NotificationState, number> & { channel: string; lastAccepted: number | null };

const figures = ({ channel, pending, accepted, dead, lastAccepted }: FiguresRow): ChannelFigures => ({
  channel,
  states: { pending, accepted, dead },
  lastAccepted: lastAccepted ?? undefined,
});

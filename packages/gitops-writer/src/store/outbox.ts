import type { Pool, PoolClient } from 'pg';
import type { Channel, ChannelContent, Delivery, DeliveryResult, Notification, Outbox, Outgoing } from '../ports.ts';
import * as sql from './sql-outbox.ts';
import { transaction, unavailable } from './transaction.ts';

type Row = Omit<Notification, 'deliveryId' | 'at' | 'reason' | 'link'> & {
  readonly delivery_id: string;
  readonly created_at: Date;
  readonly reason: string | null;
  readonly link: string | null;
};

/** What is told, in PostgreSQL. A killed relay sends its delivery again, with the same id. */
export function outbox(pool: Pool): Outbox {
  return {
    list: async (channel, state) => {
      try {
        return (await pool.query<Row>(sql.LIST_NOTIFICATIONS, [channel, state])).rows.map(notification);
      } catch (error) {
        throw unavailable(error);
      }
    },
    resend: async (ids) => {
      try {
        const { rows } = await pool.query<Pick<Row, 'delivery_id'>>(sql.RESEND_DEAD, [ids]);
        return rows.map(({ delivery_id }) => delivery_id);
      } catch (error) {
        throw unavailable(error);
      }
    },
    relay: (channel, send) => relayOne(pool, channel, send),
  };
}

/** Part of the transaction that moves the change, if it is about one: a move that is told is never lost, nor told when it did not happen. */
export async function putOut(
  client: PoolClient,
  change: string | undefined,
  outgoing: readonly Outgoing[],
): Promise<void> {
  for (const { channel, deliveryId, event, title, content } of outgoing) {
    const values = [deliveryId, change, channel, event, title, JSON.stringify(content)];
    await client.query(sql.INSERT_OUTGOING, values);
  }
}

function relayOne<C extends Channel>(
  pool: Pool,
  channel: C,
  send: (delivery: Delivery<C>) => Promise<DeliveryResult>,
): Promise<boolean> {
  return transaction(pool, async (client) => {
    type Due = { delivery_id: string; content: ChannelContent[C]; attempts: number; age_ms: number };
    const { rows } = await client.query<Due>(sql.CLAIM_DELIVERY, [channel]);
    const [due] = rows;
    if (due === undefined) return false;
    const result = await send({ content: due.content, attempts: due.attempts, ageMs: due.age_ms });
    const retry = result.kind === 'retry';
    const reason = result.reason ?? null;
    const values = [due.delivery_id, retry ? 'due' : result.kind, reason, retry ? result.delayMs : 0];
    await client.query(sql.SETTLE_DELIVERY, values);
    return true;
  });
}

function notification({ delivery_id, created_at, reason, link, ...row }: Row): Notification {
  const { channel, event, title, state, attempts } = row;
  return {
    deliveryId: delivery_id,
    channel,
    event,
    title,
    at: created_at.toISOString(),
    state,
    attempts,
    ...(reason === null ? {} : { reason }),
    ...(link === null ? {} : { link }),
  };
}

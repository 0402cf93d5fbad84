import type { CardContent } from '@fairway/core';
import type { Pool } from 'pg';
import type { Delivery, DeliveryResult, Notification, Outbox } from '../ports.ts';
import * as sql from './sql.ts';
import { transaction, unavailable } from './transaction.ts';

type Row = {
  readonly delivery_id: string;
  readonly event: string;
  readonly title: string;
  readonly created_at: Date;
  readonly state: Notification['state'];
  readonly link: string | null;
};

/** Notifications in PostgreSQL. A killed relay sends its notification again, with the same delivery id. */
export function outbox(pool: Pool): Outbox {
  return {
    list: async () => {
      try {
        return (await pool.query<Row>(sql.LIST_NOTIFICATIONS)).rows.map(notification);
      } catch (error) {
        throw unavailable(error);
      }
    },
    relay: (send) => relayOne(pool, send),
  };
}

function relayOne(pool: Pool, send: (delivery: Delivery) => Promise<DeliveryResult>): Promise<boolean> {
  return transaction(pool, async (client) => {
    type Due = { delivery_id: string; content: CardContent; attempts: number };
    const { rows } = await client.query<Due>(sql.CLAIM_NOTIFICATION);
    const [due] = rows;
    if (due === undefined) return false;
    const result = await send({ content: due.content, attempts: due.attempts });
    const state = result.kind === 'retry' ? 'pending' : result.kind;
    const reason = result.kind === 'dead' ? result.reason : null;
    await client.query(sql.SETTLE_NOTIFICATION, [
      due.delivery_id,
      state,
      reason,
      result.kind === 'retry' ? result.delayMs : 0,
    ]);
    return true;
  });
}

function notification({ delivery_id, event, title, created_at, state, link }: Row): Notification {
  return {
    deliveryId: delivery_id,
    event,
    title,
    at: created_at.toISOString(),
    state,
    ...(link === null ? {} : { link }),
  };
}

import type { Pool } from 'pg';
import type { DeliveryState, HookClaim, HookDelivery, Inbox } from '../ports.ts';
import * as sql from './sql-inbox.ts';
import { unavailable } from './transaction.ts';

type Row = {
  readonly id: string;
  readonly claim: HookClaim;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly change_id: string | null;
  readonly attempts: number;
  readonly received_at: Date;
};

/** Hooks in PostgreSQL. No connection is held while one is attended to: looking may take as long as loading a model. */
export function inbox(pool: Pool): Inbox {
  const ask = async <R extends object>(query: string, values: unknown[]): Promise<R[]> => {
    try {
      return (await pool.query<R>(query, values)).rows;
    } catch (error) {
      throw unavailable(error);
    }
  };
  const find = async (id: string) => (await ask<Row>(sql.FIND_DELIVERY, [id])).map(delivery)[0];
  return {
    put: async (id, claim, payload) => {
      await ask(sql.PUT_DELIVERY, [id, claim.registry, payload, JSON.stringify(claim)]);
      return (await find(id)) as HookDelivery;
    },
    find,
    take: async (leaseMs) => {
      const [row] = await ask<Row & { readonly age_ms: number }>(sql.TAKE_DELIVERY, [leaseMs]);
      return row && { ...delivery(row), ageMs: row.age_ms };
    },
    settle: async ({ id, attempts }, outcome) => {
      const again = outcome.state === 'received';
      const values = [outcome.state, outcome.reason, again ? null : outcome.change, again ? outcome.delayMs : 0];
      await ask(sql.SETTLE_DELIVERY, [id, attempts, ...values]);
    },
  };
}

function delivery({ id, claim, state, reason, change_id, attempts, received_at }: Row): HookDelivery {
  return {
    id,
    claim,
    state,
    receivedAt: received_at.toISOString(),
    attempts,
    ...(reason === null ? {} : { reason }),
    ...(change_id === null ? {} : { change: change_id }),
  };
}

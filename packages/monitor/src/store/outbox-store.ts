import { iso } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { DecidedRetrain, DueItem, OutboxStore, Settlement } from '../ports.ts';
import { withTransaction } from './database.ts';

const DUE = `
select delivery_id as "deliveryId", kind, event, title, model, version, environment, payload, attempts,
  created_at as "createdAt", decided_at is not null as decided
from monitoring.outbox where kind = $1 and state = 'pending' and due_at <= now() order by due_at, delivery_id limit 10`;

/** The lock belongs to the session: it goes with the process, so a crash frees the item at once. */
const TRY_LOCK = `select pg_try_advisory_lock(hashtextextended('outbox/' || $1, 0)) as mine`;
const UNLOCK = `select pg_advisory_unlock(hashtextextended('outbox/' || $1, 0))`;

/** Somebody may have settled it between the look and the lock. */
const STILL_DUE = `select 1 from monitoring.outbox where delivery_id = $1 and state = 'pending' and due_at <= now()`;

const SETTLE = `
update monitoring.outbox set state = $2, attempts = attempts + 1, reason = $3, link = coalesce($4, link),
  due_at = now() + make_interval(secs => $5::float8 / 1000), settled_at = case when $2 = 'pending' then null else now() end
where delivery_id = $1`;

const LOCK_MODEL = `select pg_advisory_xact_lock(hashtextextended('retrain/' || $1, 0))`;

const DECIDE = `
update monitoring.outbox set payload = $3, decided_at = now()
where delivery_id = $1 and not exists (
  select 1 from monitoring.outbox other
  where other.kind = 'retrain' and other.model = $2 and other.delivery_id <> $1
    and other.decided_at is not null and other.state = 'pending')`;

const DECIDED_RETRAINS = `
select delivery_id as "deliveryId", decided_at as at, state = 'pending' as open from monitoring.outbox
where kind = 'retrain' and model = $1 and decided_at is not null and state in ('pending', 'accepted')
order by decided_at desc`;

/** What waits to leave the house, in PostgreSQL. */
export function outboxStore(pool: Pool): OutboxStore {
  return {
    attempt: async (kind, work) => {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        const item = await lockOne(client, kind);
        if (item === undefined) return false;
        await settle(pool, item.deliveryId, await work(item));
        await client.query(UNLOCK, [item.deliveryId]);
        return true;
      } catch (error) {
        // Closing the session is what frees the lock when the unlock was not reached.
        broken = error as Error;
        throw error;
      } finally {
        client.release(broken);
      }
    },
    decide: (item, payload) =>
      withTransaction(pool, async (client) => {
        await client.query(LOCK_MODEL, [item.model]);
        const { rowCount } = await client.query(DECIDE, [item.deliveryId, item.model, JSON.stringify(payload)]);
        return rowCount === 1;
      }),
    decidedRetrains: async (model) => {
      const { rows } = await pool.query<Omit<DecidedRetrain, 'at'> & { at: Date }>(DECIDED_RETRAINS, [model]);
      return rows.map((row) => ({ ...row, at: iso(row.at.getTime()) }));
    },
  };
}

type DueRow = Omit<DueItem, 'createdAt'> & { createdAt: Date };

async function lockOne(client: PoolClient, kind: DueItem['kind']): Promise<DueItem | undefined> {
  for (const row of (await client.query<DueRow>(DUE, [kind])).rows) {
    const { rows } = await client.query<{ mine: boolean }>(TRY_LOCK, [row.deliveryId]);
    if (!rows[0]?.mine) continue;
    if ((await client.query(STILL_DUE, [row.deliveryId])).rowCount === 1)
      return { ...row, createdAt: iso(row.createdAt.getTime()) };
    await client.query(UNLOCK, [row.deliveryId]);
  }
  return undefined;
}

async function settle(pool: Pool, deliveryId: string, settlement: Settlement): Promise<void> {
  const reason = 'reason' in settlement ? settlement.reason : null;
  const link = settlement.state === 'accepted' ? (settlement.link ?? null) : null;
  const delayMs = settlement.state === 'pending' ? settlement.delayMs : 0;
  await pool.query(SETTLE, [deliveryId, settlement.state, reason, link, delayMs]);
}

import { type Logger, type Part, pause, redact } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { Deliveries, Nonces } from '../ports.ts';
import { FORGET_DELIVERIES } from './sql-inbox.ts';
import * as sql from './sql-replays.ts';
import { transaction, unavailable } from './transaction.ts';

/** The longest that forges redeliver of themselves; older ones are sent by hand, and a hint more does no harm. */
const DELIVERY_TTL_MS = 24 * 3_600_000;
const CLEAN_EVERY_MS = 600_000;

export function nonces(pool: Pool): Nonces {
  return {
    use: async (key, nonce, ttlMs) => {
      try {
        return await isFirst(pool, `nonce ${key}`, nonce, ttlMs);
      } catch (error) {
        throw unavailable(error);
      }
    },
  };
}

export function deliveries(pool: Pool): Deliveries {
  return {
    take: async (forge, marks, { branches, base }) => {
      try {
        return await transaction(pool, async (client) => {
          for (const mark of marks) {
            if (!(await isFirst(client, scopeOf(forge), mark, DELIVERY_TTL_MS))) return 'replayed';
          }
          const { rows } = await client.query<{ id: string }>(sql.HINT_CHANGES, [branches, base]);
          return rows.map((row) => row.id);
        });
      } catch (error) {
        throw unavailable(error);
      }
    },
    latest: async (forge) => {
      try {
        return (await pool.query<{ id: string }>(sql.SEEN_LAST, [scopeOf(forge)])).rows[0]?.id;
      } catch (error) {
        throw unavailable(error);
      }
    },
  };
}

const scopeOf = (forge: string): string => `webhook ${forge}`;

async function isFirst(client: Pool | PoolClient, scope: string, id: string, ttlMs: number): Promise<boolean> {
  return (await client.query(sql.SEE_FIRST, [scope, id, ttlMs])).rowCount === 1;
}

/** Forgets from time to time what cannot come again, or is over for long. */
export function replayCleaner(pool: Pool, log: Logger): Part {
  const stopping = new AbortController();
  const run = async () => {
    while (!stopping.signal.aborted) {
      await Promise.all([pool.query(sql.FORGET_EXPIRED), pool.query(FORGET_DELIVERIES)]).catch((error: Error) =>
        log.warn({ reason: redact(error.message) }, 'expired nonces and deliveries could not be forgotten'),
      );
      await pause(CLEAN_EVERY_MS, stopping.signal);
    }
  };
  let loop: Promise<void> | undefined;
  return {
    name: 'replay cleaner',
    start: () => {
      loop = run();
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

import { batched, type Logger, type Part, pause, redact } from '@fairway/core';
import { Client } from 'pg';
import type { Exclusive } from '../ports.ts';
import * as sql from './sql.ts';
import { unavailable } from './transaction.ts';

/** Locks on changes that last as long as this process's session with the database. */
export type TurnLocks = Pick<Exclusive, 'take' | 'drop'>;

/** `take` answers false where another session, or another turn of this one, holds it. Throws `database.unavailable`. */
export type TurnLockPart = Exclusive & Part;

const RECONNECT_MS = 500;
/** Those that come while one question is under way go together with the next. */
const AT_ONCE = 500;

/**
 * One session for the locks of all turns of this process. PgBouncer in transaction mode would tear it apart: connect to
 * the database itself. When the session breaks, its locks are free for others; turns still running find out when they
 * settle, by their turn number.
 */
export function turnLocks(url: string, log: Logger): TurnLockPart {
  const stopping = new AbortController();
  const held = new Map<string, Client>();
  let session: Client | undefined;

  const connect = async (): Promise<Client> => {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: 5_000,
      application_name: 'fairway-writer turns',
    });
    const lost = (reason: string) => {
      if (session !== client) return;
      session = undefined;
      for (const [id, owner] of held) if (owner === client) held.delete(id);
      if (!stopping.signal.aborted) log.warn({ reason: redact(reason) }, 'the session that holds the turns was lost');
    };
    client.on('error', (error) => lost(error.message));
    client.on('end', () => lost('it was closed'));
    await client.connect();
    return client;
  };
  let connecting: Promise<Client> | undefined;
  const current = async (): Promise<Client> => {
    if (session !== undefined) return session;
    connecting ??= connect().finally(() => (connecting = undefined));
    session = await connecting;
    return session;
  };
  const takeAll = batched<string, boolean>({ max: AT_ONCE }, async (ids) => {
    const client = await current();
    const { rows } = await client.query<{ id: string; taken: boolean }>(sql.TAKE_TURNS, [ids]);
    const free = new Set(rows.filter(({ taken }) => taken).map(({ id }) => id));
    return ids.map((id) => {
      const taken = free.has(id) && session === client;
      if (taken) held.set(id, client);
      return { value: taken };
    });
  });
  const dropAll = batched<string, undefined>({ max: AT_ONCE }, async (ids) => {
    const mine = ids.filter((id) => session !== undefined && held.get(id) === session);
    if (mine.length > 0) await session?.query(sql.DROP_TURNS, [mine]);
    return ids.map(() => ({ value: undefined }));
  });
  const asked = new Set<string>();
  const take = async (id: string): Promise<boolean> => {
    if (held.has(id) || asked.has(id)) return false;
    asked.add(id);
    try {
      return await takeAll(id);
    } catch (error) {
      await pause(RECONNECT_MS, stopping.signal);
      throw unavailable(error);
    } finally {
      asked.delete(id);
    }
  };
  return {
    name: 'turn locks',
    start: async () => {
      await current();
    },
    stop: async () => {
      stopping.abort();
      await session?.end().catch(() => {});
    },
    take,
    keep: async (id) => held.has(id) || (await take(id)),
    drop: async (id) => {
      if (!held.has(id)) return;
      // Unlocked first: a turn of this very session could otherwise take the lock again before it is given back.
      await dropAll(id).catch(() => {});
      held.delete(id);
    },
  };
}

import { batched, type BatchOutcome } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { CallKind, CallWindow, SharedCalls } from '../ports.ts';
import * as sql from './sql-forge-calls.ts';
import { transaction, unavailable } from './transaction.ts';

type Asked = {
  readonly host: string;
  readonly resource: string;
  readonly kind: CallKind;
  readonly windows: readonly CallWindow[];
};

/** Those that come while one question is under way go together with the next, so that no writer holds more than one connection for it. */
const AT_ONCE = 500;

/** Counts the calls of all writers of one database, in which the limits of a forge's account are theirs together. */
export function forgeCalls(pool: Pool): SharedCalls {
  const take = batched<Asked, number>({ max: AT_ONCE }, (asked) => takeAll(pool, asked));
  return {
    take: (host, resource, kind, windows) => take({ host, resource, kind, windows }),
    pause: async (host, resource, ms) => {
      try {
        await pool.query(sql.PAUSE, [host, resource, Math.ceil(ms)]);
      } catch (error) {
        throw unavailable(error);
      }
    },
  };
}

async function takeAll(pool: Pool, asked: readonly Asked[]): Promise<Array<BatchOutcome<number>>> {
  const waits = new Map<Asked, number>();
  const alike = new Map<string, Asked[]>();
  for (const one of asked) {
    const key = JSON.stringify([one.host, one.resource, one.kind]);
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  try {
    for (const group of alike.values()) await transaction(pool, (client) => takeAlike(client, group, waits));
  } catch (error) {
    throw unavailable(error);
  }
  return asked.map((one) => ({ value: waits.get(one) ?? 0 }));
}

/** Those of the same host, part of the API and kind: as many as fit, in their order. */
async function takeAlike(client: PoolClient, asked: readonly Asked[], waits: Map<Asked, number>): Promise<void> {
  const [first] = asked;
  if (first === undefined) return;
  const { host, kind, windows } = first;
  await client.query(sql.LOCK_HOST, [host]);
  const { room, wait } = await roomFor(client, first);
  for (const [index, one] of asked.entries()) waits.set(one, index < room ? 0 : wait);
  const granted = Math.min(room, asked.length);
  if (granted > 0) await client.query(sql.COUNT, [host, kind, granted]);
  const longest = Math.max(...windows.map(({ lengthMs }) => lengthMs));
  await client.query(sql.FORGET, [host, longest]);
}

type Room = { readonly room: number; readonly wait: number };

async function roomFor(client: PoolClient, { host, resource, kind, windows }: Asked): Promise<Room> {
  const paused = await client.query<{ wait: number | null }>(sql.PAUSED, [host, [resource, '*']]);
  const pause = paused.rows[0]?.wait ?? 0;
  if (pause > 0) return { room: 0, wait: pause };
  let least: Room = { room: Number.POSITIVE_INFINITY, wait: 0 };
  for (const window of windows.filter((one) => one[kind] > 0)) {
    const { lengthMs, limit, read, write } = window;
    const { rows } = await client.query<{ room: number; wait: number | null }>(sql.ROOM, [
      host,
      lengthMs,
      read,
      write,
      limit,
      window[kind],
    ]);
    const { room = 0, wait } = rows[0] ?? {};
    // Where there is room for some and not for all, the rest asks again a moment later.
    least = { room: Math.min(least.room, room), wait: Math.max(least.wait, room > 0 ? 0 : (wait ?? lengthMs)) };
  }
  return { room: least.room, wait: Math.max(least.wait, AGAIN_MS) };
}

const AGAIN_MS = 100;

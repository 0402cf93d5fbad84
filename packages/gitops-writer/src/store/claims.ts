import { batched } from '@fairway/core';
import type { Pool } from 'pg';
import type { StoredChange } from '../change.ts';
import type { Claim, Claims, Outcome, Tell } from '../ports.ts';
import { moves, type WriteMove } from './moves.ts';
import { type ChangeRow, toStored } from './rows.ts';
import * as sql from './sql.ts';
import type { TurnLocks } from './turn-locks.ts';
import { unavailable } from './transaction.ts';

type ClaimRow = ChangeRow & { readonly turn: string };
type Due = { readonly due_in_ms: number };

/**
 * Turns on changes. A claim is an advisory lock of this process's own session: a killed process loses its session and with
 * it every lock, so another one goes on at once, with no lease to wait for. What a turn writes is fenced by its number, so
 * a process that lost its session without noticing writes nothing any more.
 * `tell`: what each move puts into the outbox.
 */
export function claims(pool: Pool, locks: TurnLocks, tell: Tell): Claims {
  const move = moves(pool, tell);
  const claimed = batched<string, ClaimRow | Later>({ max: AT_ONCE }, (changes) => claimAll(pool, changes));
  return {
    claim: async (id) => {
      if (!(await locks.take(id))) return 'busy';
      try {
        const row = await claimed(id);
        if ('turn' in row) return claimOf(pool, locks, move, row);
        await locks.drop(id);
        return row;
      } catch (error) {
        await locks.drop(id);
        throw unavailable(error);
      }
    },
    due: async (limit) => ids(pool, sql.LIST_DUE, [limit]),
    hintApplications: async (names) => ids(pool, sql.HINT_APPLICATIONS, [names]),
  };
}

/** Due in so many ms; undefined: it has ended. */
type Later = { readonly dueInMs: number | undefined };
const AT_ONCE = 100;

async function claimAll(
  pool: Pool,
  changes: readonly string[],
): Promise<ReadonlyArray<{ readonly value: ClaimRow | Later }>> {
  const { rows } = await pool.query<ClaimRow>(sql.CLAIM_CHANGES, [changes]);
  const found = new Map<string, ClaimRow | Later>(rows.map((row) => [row.id, row]));
  const others = changes.filter((id) => !found.has(id));
  if (others.length > 0) {
    const { rows: later } = await pool.query<Due & { readonly id: string }>(sql.DUE_IN, [others]);
    for (const { id, due_in_ms: dueInMs } of later) found.set(id, { dueInMs });
  }
  return changes.map((id) => ({ value: found.get(id) ?? { dueInMs: undefined } }));
}

async function ids(pool: Pool, query: string, values: unknown[]): Promise<string[]> {
  try {
    return (await pool.query<{ id: string }>(query, values)).rows.map(({ id }) => id);
  } catch (error) {
    throw unavailable(error);
  }
}

function claimOf(pool: Pool, locks: TurnLocks, move: WriteMove, row: ClaimRow): Claim {
  let stored = toStored(row);
  return {
    get stored() {
      return stored;
    },
    settle: async (outcome) => {
      const settled = await settle(pool, stored, row.turn, outcome, move);
      stored = settled.stored;
      return settled;
    },
    release: () => locks.drop(row.id),
  };
}

type Settled = { readonly stored: StoredChange; readonly dueInMs: number | undefined };

async function settle(
  pool: Pool,
  before: StoredChange,
  turn: string,
  outcome: Outcome,
  move: WriteMove,
): Promise<Settled> {
  try {
    if (outcome.kind === 'moved') {
      const row = held(await move({ change: before.change, turn, ...outcome }));
      return { stored: toStored(row), dueInMs: row.ended ? undefined : 0 };
    }
    const { delayMs, at } = outcome;
    const { id } = before.change;
    const [query, values] =
      outcome.kind === 'waiting'
        ? [sql.WAIT_CHANGE, [id, turn, outcome.reason, delayMs, at, JSON.stringify(outcome.facts ?? {})]]
        : [sql.RETRY_CHANGE, [id, turn, outcome.error.message, delayMs, at]];
    const { rows } = await pool.query<Due>(query, values);
    return { stored: before, dueInMs: held(rows[0]).due_in_ms };
  } catch (error) {
    throw unavailable(error);
  }
}

function held<T>(row: T | undefined): T {
  if (row !== undefined) return row;
  throw new Error('another process has taken the change over, so this turn of it counts for nothing');
}

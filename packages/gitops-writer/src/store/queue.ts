import { hashFields } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { StoredChange, Transition } from '../change.ts';
import type { ChangeQueue, Claim, Outcome } from '../ports.ts';
import { type ChangeRow, toStored } from './rows.ts';
import * as sql from './sql.ts';
import { abandon, connect, unavailable } from './transaction.ts';

/**
 * Due changes, one at a time. A claim is a row lock held in an open transaction for as long as its turn runs: a killed
 * process loses its connection and with it the lock, so another one goes on at once, with no lease to wait for.
 * `notified`: whether anybody takes notifications; without a channel none is kept.
 */
export function changeQueue(pool: Pool, notified: boolean): ChangeQueue {
  return {
    claim: async () => {
      const client = await connect(pool);
      try {
        await client.query('BEGIN');
        const { rows } = await client.query<ChangeRow>(sql.CLAIM_DUE);
        if (rows[0] !== undefined) return claimOf(client, toStored(rows[0]), notified);
        await abandon(client);
        return undefined;
      } catch (error) {
        await abandon(client);
        throw unavailable(error);
      }
    },
    hint: async (branches) => {
      await pool.query(sql.HINT_CHANGES, [branches]);
    },
  };
}

function claimOf(client: PoolClient, stored: StoredChange, notified: boolean): Claim {
  // A connection that breaks while the turn runs reports here; settle then fails and the turn is repeated.
  client.on('error', () => {});
  const end = () => {
    client.removeAllListeners('error');
  };
  return {
    stored,
    settle: async (outcome) => {
      try {
        await write(client, stored, outcome, notified);
        await client.query('COMMIT');
        end();
        client.release();
      } catch (error) {
        end();
        await abandon(client);
        throw unavailable(error);
      }
    },
    release: async () => {
      end();
      await abandon(client);
    },
  };
}

async function write(client: PoolClient, { change }: StoredChange, outcome: Outcome, notified: boolean): Promise<void> {
  const { id } = change;
  switch (outcome.kind) {
    case 'waiting':
      await client.query(sql.WAIT_CHANGE, [id, outcome.reason, outcome.delayMs, outcome.at]);
      return;
    case 'retry':
      await client.query(sql.RETRY_CHANGE, [id, outcome.error.message, outcome.delayMs, outcome.at]);
      return;
    case 'moved':
      await move(client, id, outcome.transition, outcome.at);
      if (change.kind === 'deploy' && outcome.transition.phase === 'live') await stepBack(client, id, outcome.at);
      if (notified) await notify(client, id, outcome.transition);
      return;
  }
}

async function move(client: PoolClient, id: string, transition: Transition, at: string): Promise<void> {
  const { phase, reason, facts, pullRequest, image } = transition;
  const entry = { phase, at, ...(reason === undefined ? {} : { reason }) };
  const values = [phase, reason, JSON.stringify(facts ?? {}), pullRequest && JSON.stringify(seen(pullRequest)), image];
  await client.query(sql.MOVE_CHANGE, [id, ...values, JSON.stringify([entry]), at]);
}

/** Title and body of a pull request are the forge's to keep. */
function seen({ number, url, state, headSha, mergeCommit }: NonNullable<Transition['pullRequest']>): object {
  return { number, url, state, headSha, ...(mergeCommit === undefined ? {} : { mergeCommit }) };
}

async function stepBack(client: PoolClient, id: string, at: string): Promise<void> {
  const reason = `Change ${id} is live in its place.`;
  await client.query(sql.SUPERSEDE_LIVE, [id, reason, at, JSON.stringify([{ phase: 'superseded', at, reason }])]);
}

/** Same change and event = same delivery: however often a step runs, there is one card. */
async function notify(client: PoolClient, id: string, { notice }: Transition): Promise<void> {
  if (notice === undefined) return;
  const deliveryId = `d-${hashFields([id, notice.event]).slice(0, 20)}`;
  const content = JSON.stringify({ ...notice, deliveryId });
  await client.query(sql.INSERT_NOTIFICATION, [deliveryId, id, notice.event, notice.title, content]);
}

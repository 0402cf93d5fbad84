import { PACK_QUEUE, pause } from '@fairway/core';
import type { Account } from '@fairway/log-sidecar';
import { withBackend } from 'bullmq';
import pg from 'pg';
import { postgresBackend } from '../../../packages/queue/src/backend.ts';
import { AGENT, QUEUE_PREFIX, type World } from './world.ts';

/** What the tables say of some exchanges (one prediction each), and of the agent's sequence as a whole. */
export type Stored = {
  /** Ids that are in the tables neither as a prediction nor as an exchange. */
  readonly missing: readonly string[];
  /** Exchanges without their prediction: set aside, with a reason. */
  readonly quarantined: number;
  /** Rows beyond one for each id. */
  readonly duplicates: number;
};

/** One statement, so that both tables are seen at one moment. */
const MISSING = `
select asked.id, exists (select from monitoring.exchanges e where e.id = asked.id) as aside
from unnest($1::text[]) as asked (id)
where not exists (select from monitoring.predictions p where p.id = asked.id || '-0')`;

const ROWS = `
select (select count(*) - count(distinct id) from monitoring.predictions where id = any($2))::int
     + (select count(*) - count(distinct id) from monitoring.exchanges where id = any($1))::int as more`;

const EPOCHS = `
select epoch, max(last)::float8 as last, sum(exchanges)::float8 as exchanges
from monitoring.packs where agent = $1 group by epoch`;

/** What agents said was in memory when they were killed: the totals of each epoch. */
const KILLED = `
select coalesce(sum(n), 0)::float8 as n
from (select max((dropped->>'killed')::float8) as n from monitoring.packs where agent = $1 group by epoch) as epochs`;

const ALL_DUPLICATES = `
select (select count(*) - count(distinct id) from monitoring.predictions)::float8
     + (select count(*) - count(distinct id) from monitoring.exchanges)::float8
     + (select count(*) - count(distinct pack_id) from monitoring.packs)::float8 as more`;

const LEDGER = `
select (select coalesce(sum(stored), 0) from monitoring.packs)::float8 as told,
  (select count(*) from monitoring.predictions)::float8 as there`;

export async function stored(world: World, ids: readonly string[]): Promise<Stored> {
  return query(world, async (client) => {
    const found = (await client.query<{ id: string; aside: boolean }>(MISSING, [ids])).rows;
    const { rows } = await client.query<{ more: number }>(ROWS, [ids, ids.map((id) => `${id}-0`)]);
    const missing = found.filter(({ aside }) => !aside).map(({ id }) => id);
    return { missing, quarantined: found.length - missing.length, duplicates: rows[0]?.more ?? 0 };
  });
}

/** Rows beyond one for each id in all tables; and by how much the ledger's own count differs from the rows. */
export async function wholeTables(world: World): Promise<{ readonly duplicates: number; readonly ledgerOff: number }> {
  return query(world, async (client) => {
    const { rows } = await client.query<{ more: number }>(ALL_DUPLICATES);
    const ledger = (await client.query<{ told: number; there: number }>(LEDGER)).rows[0];
    return { duplicates: rows[0]?.more ?? 0, ledgerOff: (ledger?.told ?? 0) - (ledger?.there ?? 0) };
  });
}

/**
 * Sequence numbers without an exchange in the ledger, over all epochs: up to the highest the ledger has seen, and up to what
 * the agent itself says where `captured` (by epoch) is more. What was dropped and counted is among them.
 */
export async function gaps(world: World, captured: ReadonlyMap<string, number>): Promise<number> {
  const rows = await query(
    world,
    async (client) => (await client.query<{ epoch: string; last: number; exchanges: number }>(EPOCHS, [AGENT])).rows,
  );
  const ledger = new Map(rows.map((row) => [row.epoch, row]));
  let missing = 0;
  for (const epoch of new Set([...ledger.keys(), ...captured.keys()])) {
    const { last = 0, exchanges = 0 } = ledger.get(epoch) ?? {};
    missing += Math.max(last, captured.get(epoch) ?? 0) - exchanges;
  }
  return missing;
}

export const reportedKilled = (world: World): Promise<number> =>
  query(world, async (client) => (await client.query<{ n: number }>(KILLED, [AGENT])).rows[0]?.n ?? 0);

/** The agent's own account; undefined while nobody there can give it. */
export const accountOf = ({ adminUrl }: World): Promise<Account | undefined> =>
  fetch(`${adminUrl}/account`, { signal: AbortSignal.timeout(2000) })
    .then(async (answer) => (answer.status === 200 ? ((await answer.json()) as Account) : undefined))
    .catch(() => undefined);

/** Jobs in the queue, in whatever state; undefined while it does not answer. */
export async function inQueue({ redis, queueUrl }: World): Promise<number | undefined> {
  if (redis === undefined) return inPostgres(queueUrl).catch(() => undefined);
  if (redis.client.status !== 'ready') return undefined;
  const key = (state: string) => `${QUEUE_PREFIX}:${PACK_QUEUE}:${state}`;
  const { client } = redis;
  const counts = await Promise.all([
    client.llen(key('wait')),
    client.llen(key('active')),
    client.zcard(key('delayed')),
    client.zcard(key('prioritized')),
  ]);
  return counts.reduce((sum, n) => sum + n, 0);
}

async function inPostgres(connectionString: string): Promise<number> {
  const { Queue } = withBackend(postgresBackend);
  const queue = new Queue(PACK_QUEUE, { connection: { connectionString, schema: QUEUE_PREFIX } });
  queue.on('error', () => {});
  try {
    return await queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized');
  } finally {
    await queue.close();
  }
}

/** A look at the tables on a connection of its own: the server dies now and then, and is asked again. */
async function query<T>({ database }: World, look: (client: pg.Client) => Promise<T>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const client = new pg.Client({ connectionString: database.url, connectionTimeoutMillis: 5000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return await look(client);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(100);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

import { FairwayError, type Logger, type Part, redact, urlOrigin } from '@fairway/core';
import { type ClientBase, DatabaseError, Pool, type PoolClient } from 'pg';

/**
 * A pool on `url`. A connection that dies, idle or in use, is replaced; it never ends the process. `idleTransactionMs`: the server ends a
 * transaction of ours in which we were silent for so long. Others wait for the locks of a process that is frozen; a COPY is not idle.
 */
export function openPool(url: string, name: string, log: Logger, idleTransactionMs?: number): Pool {
  const pool = new Pool({
    connectionString: url,
    application_name: name,
    max: 8,
    connectionTimeoutMillis: 10_000,
    ...(idleTransactionMs === undefined ? {} : silentFor(idleTransactionMs)),
  });
  pool.on('error', (error) => log.warn({ reason: redact(error.message) }, 'an idle database connection was lost'));
  // While a client is checked out nobody else listens, and an error event without a listener ends the process. Its queries reject.
  pool.on('connect', (client) =>
    client.on('error', (error) => log.debug({ reason: error.message }, 'connection lost')),
  );
  return pool;
}

/** Not as a parameter of the connection: PgBouncer refuses those that it does not know. The pool waits for it. */
const silentFor = (ms: number) => ({
  onConnect: async (client: ClientBase) => {
    await client.query(`set idle_in_transaction_session_timeout = ${ms}`);
  },
});

/**
 * Lets new connections log on as `url` says; those that are open stay. false: it leads to another server, database or way of
 * connecting, which a running process must not change to.
 */
export function renewLogin(pool: Pool, url: string): boolean {
  if (placeOf(pool.options.connectionString ?? '') !== placeOf(url)) return false;
  pool.options.connectionString = url;
  return true;
}

/** A URL without who logs on. */
function placeOf(url: string): string {
  const place = new URL(url);
  place.username = '';
  place.password = '';
  return place.href;
}

/** Answers once the database does; otherwise throws the sentence for whoever configured it. */
async function checkDatabase(pool: Pool, url: string): Promise<void> {
  try {
    await pool.query('select 1');
  } catch (error) {
    throw new FairwayError(
      'database.unavailable',
      `PostgreSQL at ${urlOrigin(url)} does not answer (${redact((error as Error).message)}). Check DATABASE_URL and that the server runs.`,
      { cause: error },
    );
  }
}

/** Runs `work` in one transaction; anything thrown rolls back. A broken connection is not given back to the pool. */
export const withTransaction = <T>(pool: Pool, work: (client: PoolClient) => Promise<T>, begin = 'begin'): Promise<T> =>
  withClient(pool, async (client) => {
    await client.query(begin);
    const result = await work(client);
    await client.query('commit');
    return result;
  });

/** Runs `work`, which begins and ends its transaction itself; anything thrown rolls back. A broken connection is not given back. */
export async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw asRetryable(error);
  });
  let broken: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/**
 * Reads that see one state of the database, however long they take. Predictions and their labels lie in the same days: the
 * rows of a day are joined with the labels of that day alone.
 */
export const readSnapshot =
  (pool: Pool) =>
  <T>(work: (client: PoolClient) => Promise<T>): Promise<T> =>
    withTransaction(
      pool,
      work,
      'begin isolation level repeatable read read only; set local enable_partitionwise_join = on',
    );

const asRetryable = (error: unknown): FairwayError =>
  new FairwayError('database.unavailable', `PostgreSQL does not answer: ${redact((error as Error).message)}.`, {
    cause: error,
  });

/** SQLSTATE of a database error, undefined for anything else. */
export const sqlState = (error: unknown): string | undefined =>
  error instanceof DatabaseError ? error.code : undefined;

/** The database as a part of a service: reached and migrated at start, given back at stop. */
export function databasePart(pool: Pool, url: string, migrate: (pool: Pool) => Promise<void>): Part {
  return {
    name: 'database',
    start: async () => {
      await checkDatabase(pool, url);
      await migrate(pool);
    },
    stop: () => pool.end(),
  };
}

/** undefined while the database answers; otherwise the reason. */
export async function databaseTrouble(pool: Pool): Promise<string | undefined> {
  try {
    await pool.query('select 1');
    return undefined;
  } catch (error) {
    return `PostgreSQL does not answer: ${redact((error as Error).message)}`;
  }
}

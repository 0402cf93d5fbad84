import { FairwayError, type Logger, pause, redact, urlOrigin } from '@fairway/core';
import { Pool } from 'pg';

export type WriterPool = Pool;

const START_TRIES = 10;

/** The writer's connections; none is held while a turn runs. */
export function openPool(url: string, size: number, log: Logger): Pool {
  const pool = new Pool({
    connectionString: url,
    max: size,
    connectionTimeoutMillis: 5_000,
    application_name: 'fairway-writer',
  });
  // Without this an idle connection that breaks would end the process.
  pool.on('error', (error) => log.warn({ reason: redact(error.message) }, 'a database connection was lost'));
  // Nor may one that breaks in a transaction, between two questions: the pool listens to idle ones alone. The next question rejects.
  pool.on('connect', (client) =>
    client.on('error', ({ message }) => log.debug({ reason: redact(message) }, 'connection lost')),
  );
  return pool;
}

/** Waits a few seconds for PostgreSQL; a start of everything at once must not fail on the order. */
export async function awaitDatabase(pool: Pool, url: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await pool.query('SELECT 1');
      return;
    } catch (error) {
      if (attempt === START_TRIES) throw unreachable(url, error as Error);
      await pause(500);
    }
  }
}

/** undefined = it answers; else why not. */
export async function databaseProblem(pool: Pool): Promise<string | undefined> {
  try {
    await pool.query('SELECT 1');
    return undefined;
  } catch (error) {
    return `PostgreSQL does not answer: ${redact((error as Error).message)}`;
  }
}

function unreachable(url: string, error: Error & { code?: string }): FairwayError {
  const reason = redact(error.message || error.code || 'no reason given');
  return new FairwayError(
    'database.unavailable',
    `PostgreSQL at ${urlOrigin(url)} (DATABASE_URL) cannot be used: ${reason}; check the address, the user and that the server is running.`,
  );
}

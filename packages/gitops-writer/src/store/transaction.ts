import { FairwayError, redact } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';

/** Runs `work` in one transaction; anything thrown rolls back. */
export async function transaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    await abandon(client);
    throw error;
  }
}

/** Rolls back and gives the connection back; one on which even that fails is thrown away. */
export async function abandon(client: PoolClient): Promise<void> {
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch (error) {
    client.release(error as Error);
  }
}

export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw unavailable(error);
  }
}

export function unavailable(error: unknown): FairwayError {
  const reason = redact((error as Error).message || String((error as { code?: string }).code));
  return new FairwayError(
    'database.unavailable',
    `PostgreSQL does not answer (${reason}); check DATABASE_URL and that the server is running.`,
    { cause: error },
  );
}

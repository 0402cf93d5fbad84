import { FairwayError } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import { MIGRATIONS } from './migrations/index.ts';

/** One writer at a time migrates; the others wait and find nothing left to do. */
const LOCK = 7_204_113_001;

const PREPARE = `
CREATE SCHEMA IF NOT EXISTS changes;
CREATE TABLE IF NOT EXISTS changes.migrations (
  number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
)`;
const APPLIED = 'SELECT number FROM changes.migrations';
const REMEMBER = 'INSERT INTO changes.migrations (number, name) VALUES ($1, $2)';

/**
 * Brings schema `changes` up to date. Each migration is one transaction. Throws `config.invalid` where the schema is of a later
 * version than this program, which would not know what it reads and writes.
 */
export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  let failed = true;
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await client.query(PREPARE);
    const { rows } = await client.query<{ number: number }>(APPLIED);
    const applied = new Set(rows.map(({ number }) => number));
    const [latest, known] = [Math.max(0, ...applied), MIGRATIONS.at(-1)?.number ?? 0];
    if (latest > known) throw tooOld(latest, known);
    for (const migration of MIGRATIONS) if (!applied.has(migration.number)) await apply(client, migration);
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK]);
    failed = false;
  } finally {
    // A connection that still holds the lock is closed, so that nobody waits for it.
    client.release(failed);
  }
}

const tooOld = (latest: number, known: number): FairwayError =>
  new FairwayError(
    'config.invalid',
    `Schema changes is at migration ${latest}, and this program knows ${known}: a later version has been here. Start that version again; going back needs the backup from before it.`,
  );

async function apply(client: PoolClient, { number, name, sql }: (typeof MIGRATIONS)[number]): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(sql);
    await client.query(REMEMBER, [number, name]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

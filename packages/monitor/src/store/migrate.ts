import { FairwayError } from '@fairway/core';
import type { Pool } from 'pg';
import { withTransaction } from './database.ts';
import { first } from './migrations/0001-first.ts';
import { days } from './migrations/0002-days.ts';
import { labels } from './migrations/0003-labels.ts';
import { records } from './migrations/0004-records.ts';
import { deliveries } from './migrations/0005-deliveries.ts';
import { evidence } from './migrations/0006-evidence.ts';
import { slimRows } from './migrations/0007-slim-rows.ts';
import { packedCounts } from './migrations/0008-packed-counts.ts';
import { numbers } from './migrations/0009-numbers.ts';
import { appendedCounts } from './migrations/0010-appended-counts.ts';
import { classes } from './migrations/0011-classes.ts';
import { judging } from './migrations/0012-judging.ts';
import { uncountedHours } from './migrations/0013-uncounted-hours.ts';
import { hoursOfBefore } from './migrations/0014-hours-of-before.ts';
import { policyRemarks } from './migrations/0015-policy-remarks.ts';

/** Forward only; a migration that has been released never changes. Position + 1 is its number. */
const MIGRATIONS: readonly string[] = [
  first,
  days,
  labels,
  records,
  deliveries,
  evidence,
  slimRows,
  packedCounts,
  numbers,
  appendedCounts,
  classes,
  judging,
  uncountedHours,
  hoursOfBefore,
  policyRemarks,
];

/** `FWMO` in ASCII: one process migrates, the others wait and find nothing left to do. */
const LOCK = 0x46_57_4d_4f;

/**
 * Brings schema `monitoring` up to date, in one transaction; safe when recorder and monitor start at once. Throws `config.invalid`
 * where the schema is of a later version than this program, which would not know what it reads and writes.
 */
export function migrate(pool: Pool): Promise<void> {
  return withTransaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    await client.query('create schema if not exists monitoring');
    await client.query(
      'create table if not exists monitoring.migrations (number integer primary key, applied_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ done: number }>(
      'select coalesce(max(number), 0)::int as done from monitoring.migrations',
    );
    const done = rows[0]?.done ?? 0;
    if (done > MIGRATIONS.length) throw tooOld(done);
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < done) continue;
      await client.query(sql);
      await client.query('insert into monitoring.migrations (number) values ($1)', [index + 1]);
    }
  });
}

const tooOld = (done: number): FairwayError =>
  new FairwayError(
    'config.invalid',
    `Schema monitoring is at migration ${done}, and this program knows ${MIGRATIONS.length}: a later version has been here. Start that version again; going back needs the backup from before it.`,
  );

import { END_PHASES } from '@fairway/core';
import type { Pool } from 'pg';
import type { OperatingFigures } from '../ports.ts';

/** A move writes its moment into the history; a change that has not moved yet counts from its creation. */
const OPEN_CHANGES = `
SELECT kind, phase, count(*)::float8 AS changes,
  max(extract(epoch FROM clock_timestamp() - coalesce((history -> -1 ->> 'at')::timestamptz, created_at)))::float8 AS "ageS"
FROM changes.changes WHERE phase NOT IN (${END_PHASES.map((phase) => `'${phase}'`).join(', ')}) GROUP BY kind, phase`;

/** `next_at` of a delivery that is given up is the moment of that. */
const OUTBOX = `
SELECT channel,
  count(*) FILTER (WHERE state = 'dead' AND next_at > clock_timestamp() - interval '24 hours')::float8 AS dead,
  coalesce(max(extract(epoch FROM clock_timestamp() - created_at)) FILTER (WHERE state IN ('pending', 'due')), 0)::float8 AS "oldestS"
FROM changes.outbox GROUP BY channel`;

/** What waits in the store and for how long. Two queries; they read open changes and the outbox. */
export async function operatingFigures(pool: Pool): Promise<OperatingFigures> {
  const [open, outbox] = await Promise.all([
    pool.query<OperatingFigures['open'][number]>(OPEN_CHANGES),
    pool.query<OperatingFigures['outbox'][number]>(OUTBOX),
  ]);
  return { open: open.rows, outbox: outbox.rows };
}

import { END_PHASES } from '@fairway/core';

const ENDS = `(${END_PHASES.map((phase) => `'${phase}'`).join(', ')})`;

/** Answers a row the first time only; what has expired counts as never seen. */
export const SEE_FIRST = `
INSERT INTO changes.seen (scope, id, expires_at) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
ON CONFLICT (scope, id) DO UPDATE SET expires_at = excluded.expires_at WHERE seen.expires_at <= clock_timestamp()
RETURNING id`;

/** The newest of a scope, by the index on the end. */
export const SEEN_LAST = 'SELECT id FROM changes.seen WHERE scope = $1 ORDER BY expires_at DESC, id LIMIT 1';

export const FORGET_EXPIRED = 'DELETE FROM changes.seen WHERE expires_at <= clock_timestamp()';

/**
 * $1: branches; $2: the default branch has moved. An open pull request does not wait for the default branch, and there may
 * be thousands: its own events and its own look now and then are enough.
 */
export const HINT_CHANGES = `
UPDATE changes.changes SET next_at = clock_timestamp(), hints = hints + 1
WHERE phase NOT IN ${ENDS}
  AND (branch = ANY ($1::text[]) OR ($2 AND (phase <> 'proposed' OR attempts > 0)))
RETURNING id`;

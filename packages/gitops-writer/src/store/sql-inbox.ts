const COLUMNS = 'id, claim, state, reason, change_id, attempts, received_at';

/** The same delivery again: one that its registry has not confirmed is looked at once more, any other stays as it is. */
export const PUT_DELIVERY = `
INSERT INTO changes.inbox (id, registry, payload, claim) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET state = 'received', attempts = 0, reason = NULL,
  received_at = clock_timestamp(), next_at = clock_timestamp()
WHERE inbox.state IN ('unverified', 'failed')`;

export const FIND_DELIVERY = `SELECT ${COLUMNS} FROM changes.inbox WHERE id = $1`;

/** $1: how long it is held, in ms. The count of attempts tells this taking from any later one. */
export const TAKE_DELIVERY = `
UPDATE changes.inbox SET attempts = attempts + 1, next_at = clock_timestamp() + $1 * interval '1 millisecond'
WHERE id = (
  SELECT id FROM changes.inbox WHERE state = 'received' AND next_at <= clock_timestamp()
  ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING ${COLUMNS}, extract(epoch FROM clock_timestamp() - received_at)::float8 * 1000 AS age_ms`;

export const SETTLE_DELIVERY = `
UPDATE changes.inbox SET
  state = $3, reason = $4, change_id = $5, next_at = clock_timestamp() + $6 * interval '1 millisecond'
WHERE id = $1 AND attempts = $2 AND state = 'received'`;

/** What is over is kept for as long as somebody may ask what came of it. */
export const FORGET_DELIVERIES = `
DELETE FROM changes.inbox WHERE state <> 'received' AND received_at <= clock_timestamp() - interval '30 days'`;

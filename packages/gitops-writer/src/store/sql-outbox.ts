/** Not yet sent: 'due', or 'pending' when the version before has written it. */
const WAITING = `('pending', 'due')`;

export const INSERT_OUTGOING = `
INSERT INTO changes.outbox (delivery_id, change_id, channel, event, title, content, state)
VALUES ($1, $2, $3, $4, $5, $6, 'due') ON CONFLICT DO NOTHING`;

export const LIST_NOTIFICATIONS = `
SELECT delivery_id, channel, event, title, created_at, CASE WHEN state IN ${WAITING} THEN 'pending' ELSE state END AS state,
  attempts, reason, coalesce(content -> 'links' -> 0 ->> 'url', content -> 'answer' ->> 'pullRequest') AS link
FROM changes.outbox
WHERE ($1::text IS NULL OR channel = $1) AND ($2::text IS NULL OR CASE WHEN state IN ${WAITING} THEN 'pending' ELSE state END = $2)
ORDER BY seq DESC LIMIT 500`;

export const RESEND_DEAD = `
UPDATE changes.outbox SET state = 'due', attempts = 0, reason = NULL, next_at = clock_timestamp()
WHERE state = 'dead' AND ($1::text[] IS NULL OR delivery_id = ANY ($1)) RETURNING delivery_id`;

/** The oldest of a channel that is due and has none of its change before it. */
export const CLAIM_DELIVERY = `
SELECT delivery_id, content, attempts, extract(epoch FROM clock_timestamp() - created_at)::float8 * 1000 AS age_ms
FROM changes.outbox AS this
WHERE channel = $1 AND state IN ${WAITING} AND next_at <= clock_timestamp()
  AND NOT EXISTS (
    SELECT FROM changes.outbox AS earlier
    WHERE earlier.change_id = this.change_id AND earlier.channel = this.channel
      AND earlier.seq < this.seq AND earlier.state IN ${WAITING}
  )
ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED`;

export const SETTLE_DELIVERY = `
UPDATE changes.outbox SET
  state = $2, reason = $3, attempts = attempts + 1, next_at = clock_timestamp() + $4 * interval '1 millisecond'
WHERE delivery_id = $1`;

/** One question, one query. `ENDS` are the phases in which nothing is due any more. */
const ENDS = `('live', 'rejected', 'superseded', 'failed', 'rolled-back')`;

const COLUMNS = `id, kind, model, version, environment, digest, phase, reason, branch, image, pull_request, actor,
  evidence, facts, history, attempts, created_at, updated_at`;
/** For lists: evidence may be megabytes. */
const LIST_COLUMNS = COLUMNS.replace('evidence, ', '');

export const FIND_CHANGE = `SELECT ${COLUMNS} FROM changes.changes WHERE id = $1`;

export const FIND_BY_EVENT = `
SELECT ${COLUMNS} FROM changes.changes WHERE id IN (
  SELECT change_id FROM changes.approvals WHERE event_id = $1
  UNION ALL SELECT change_id FROM changes.requests WHERE dedupe_key = $1
) AND kind = $2`;

/** Held until the transaction ends. */
export const LOCK_NAME = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';

export const LIST_CHANGES = `
SELECT ${LIST_COLUMNS} FROM changes.changes
WHERE ($1::text IS NULL OR model = $1) AND ($2::text IS NULL OR kind = $2)
  AND ($3::text IS NULL OR phase = $3) AND ($4::text IS NULL OR environment = $4)
ORDER BY seq DESC LIMIT 1000`;

/** Only a change that got as far as a pull request overtakes another: one that fails before must not close anything. */
export const FIND_NEWER = `
SELECT ${LIST_COLUMNS} FROM changes.changes
WHERE kind = 'deploy' AND model = $1 AND environment = $2
  AND seq > (SELECT seq FROM changes.changes WHERE id = $3)
  AND phase IN ('proposed', 'merged', 'syncing', 'verifying', 'live')
ORDER BY seq DESC LIMIT 1`;

export const LIST_LIVE = `
SELECT DISTINCT ON (model, environment) ${LIST_COLUMNS} FROM changes.changes
WHERE kind = 'deploy' AND phase = 'live' ORDER BY model, environment, seq DESC`;

export const FIND_MERGED = `
SELECT ${LIST_COLUMNS} FROM changes.changes
WHERE kind = 'deploy' AND model = $1 AND version = $2 AND pull_request ->> 'mergeCommit' IS NOT NULL
ORDER BY seq DESC LIMIT 1`;

export const FIND_LOADED = `
SELECT model_version, baseline FROM changes.model_versions WHERE model = $1 AND version = $2 AND digest = $3`;

export const INSERT_CHANGE = `
INSERT INTO changes.changes
  (id, kind, model, version, environment, digest, phase, branch, actor, evidence, history, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)`;

export const INSERT_APPROVAL = `
INSERT INTO changes.approvals (event_id, change_id) VALUES ($1, $2)`;

export const INSERT_REQUEST = `
INSERT INTO changes.requests (dedupe_key, change_id) VALUES ($1, $2)`;

/** What was approved first stays: the digest covers the bytes, not what the registry says beside them. */
export const INSERT_LOADED = `
INSERT INTO changes.model_versions (model, version, digest, model_version, baseline)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`;

export const FIND_OPEN_RETRAIN = `
SELECT ${COLUMNS} FROM changes.changes
WHERE kind = 'retrain' AND model = $1 AND phase NOT IN ${ENDS} FOR UPDATE`;

/** The newest evidence of an open retraining; the reconciler brings branch and pull request up to it. */
export const REPLACE_REQUEST = `
UPDATE changes.changes SET evidence = $2, updated_at = $3, next_at = clock_timestamp() WHERE id = $1`;

export const CLAIM_DUE = `
SELECT ${COLUMNS} FROM changes.changes
WHERE next_at <= clock_timestamp() AND phase NOT IN ${ENDS}
ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED`;

export const MOVE_CHANGE = `
UPDATE changes.changes SET
  phase = $2, reason = $3, facts = facts || $4::jsonb, pull_request = coalesce($5, pull_request), image = coalesce($6, image),
  history = CASE WHEN phase = $2 THEN history ELSE history || $7::jsonb END,
  attempts = 0, updated_at = $8, next_at = clock_timestamp()
WHERE id = $1`;

export const WAIT_CHANGE = `
UPDATE changes.changes SET
  updated_at = CASE WHEN reason IS DISTINCT FROM $2 THEN $4 ELSE updated_at END,
  reason = $2, attempts = 0, next_at = clock_timestamp() + $3 * interval '1 millisecond'
WHERE id = $1`;

export const RETRY_CHANGE = `
UPDATE changes.changes SET
  reason = $2, attempts = attempts + 1, updated_at = $4, next_at = clock_timestamp() + $3 * interval '1 millisecond'
WHERE id = $1`;

/** What served before steps back when a newer change of the same model and environment is live. */
export const SUPERSEDE_LIVE = `
UPDATE changes.changes SET phase = 'superseded', reason = $2, updated_at = $3, history = history || $4::jsonb
WHERE kind = 'deploy' AND phase = 'live' AND id <> $1
  AND (model, environment) = (SELECT model, environment FROM changes.changes WHERE id = $1)
  AND seq < (SELECT seq FROM changes.changes WHERE id = $1)`;

/** A change that is being looked at right now is left alone: its own turn sees the news or polls soon. */
export const HINT_CHANGES = `
UPDATE changes.changes SET next_at = clock_timestamp() WHERE id IN (
  SELECT id FROM changes.changes
  WHERE phase NOT IN ${ENDS} AND ($1::text[] = '{}' OR branch = ANY ($1)) FOR UPDATE SKIP LOCKED
)`;

export const INSERT_NOTIFICATION = `
INSERT INTO changes.outbox (delivery_id, change_id, event, title, content) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING`;

export const LIST_NOTIFICATIONS = `
SELECT delivery_id, event, title, created_at, state, content -> 'links' -> 0 ->> 'url' AS link
FROM changes.outbox ORDER BY seq DESC LIMIT 500`;

export const CLAIM_NOTIFICATION = `
SELECT delivery_id, content, attempts FROM changes.outbox
WHERE state = 'pending' AND next_at <= clock_timestamp() ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED`;

export const SETTLE_NOTIFICATION = `
UPDATE changes.outbox SET state = $2, reason = $3, attempts = attempts + 1, next_at = clock_timestamp() + $4 * interval '1 millisecond'
WHERE delivery_id = $1`;

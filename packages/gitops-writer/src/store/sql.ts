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
SELECT seq, ${LIST_COLUMNS} FROM changes.changes
WHERE ($1::text IS NULL OR model = $1) AND ($2::text IS NULL OR kind = $2)
  AND ($3::text[] IS NULL OR phase = ANY ($3)) AND ($4::text IS NULL OR environment = $4)
  AND ($5::bigint IS NULL OR seq < $5)
ORDER BY seq DESC LIMIT $6`;

export const LIST_WERE_LIVE = `
SELECT ${COLUMNS} FROM changes.changes
WHERE kind IN ('deploy', 'rollback') AND model = $1 AND environment = $2 AND history @> '[{"phase": "live"}]'
ORDER BY seq DESC LIMIT 100`;

export const LIST_OPEN = `
SELECT ${LIST_COLUMNS} FROM changes.changes
WHERE model = $1 AND environment = $2 AND kind = $3 AND phase NOT IN ${ENDS} ORDER BY seq DESC`;

/** Only a change that got as far as a pull request overtakes another: one that fails before must not close anything. */
export const FIND_NEWER = `
SELECT ${LIST_COLUMNS} FROM changes.changes
WHERE kind = 'deploy' AND model = $1 AND environment = $2
  AND seq > (SELECT seq FROM changes.changes WHERE id = $3)
  AND phase IN ('proposed', 'merged', 'syncing', 'verifying', 'live')
ORDER BY seq DESC LIMIT 1`;

export const FIND_ROLLBACK_OF = `
SELECT ${COLUMNS} FROM changes.changes
WHERE model = $1 AND kind = 'rollback' AND evidence -> 'bad' ->> 'digest' = $2 AND phase NOT IN ${ENDS}
ORDER BY seq DESC LIMIT 1`;

export const LIST_LIVE = `
SELECT DISTINCT ON (model, environment) ${LIST_COLUMNS} FROM changes.changes
WHERE kind IN ('deploy', 'rollback') AND phase = 'live' ORDER BY model, environment, seq DESC`;

export const FIND_MERGED = `
SELECT ${LIST_COLUMNS} FROM changes.changes
WHERE kind = 'deploy' AND model = $1 AND version = $2 AND pull_request ->> 'mergeCommit' IS NOT NULL
ORDER BY seq DESC LIMIT 1`;

export const FIND_FIRST_APPROVAL = `
SELECT evidence -> 'approval' ->> 'eventId' AS event FROM changes.changes
WHERE kind = 'deploy' AND model = $1 AND version = $2 AND digest = $3 ORDER BY seq LIMIT 1`;

export const FIND_LOADED = `
SELECT model_version, baseline, (SELECT cases FROM changes.golden WHERE sha256 = $4) AS golden
FROM changes.model_versions WHERE model = $1 AND version = $2 AND digest = $3`;

export const INSERT_CHANGE = `
INSERT INTO changes.changes
  (id, kind, model, version, environment, digest, phase, branch, actor, evidence, history, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
ON CONFLICT DO NOTHING RETURNING id`;

export const INSERT_APPROVAL = `
INSERT INTO changes.approvals (event_id, change_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`;

export const INSERT_REQUEST = `
INSERT INTO changes.requests (dedupe_key, change_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`;

/**
 * Approvals in one statement: versions, changes and events, or nothing of them; answers those that are new. What was approved first
 * stays: the digest covers the bytes, not what the registry says beside them. An event that stands for another change is a unique
 * violation. Changes get their numbers in the order of the approvals.
 */
export const ACCEPT_APPROVALS = `
WITH asked AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::timestamptz[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[]) WITH ORDINALITY
    AS asked (id, kind, model, version, environment, digest, phase, branch, actor, evidence, history, at, model_version, baseline,
      event, sha256, cases, place)
), known AS (
  INSERT INTO changes.model_versions (model, version, digest, model_version, baseline)
  SELECT model, version, digest, model_version::json, baseline::json FROM asked ON CONFLICT DO NOTHING
), golden AS (
  INSERT INTO changes.golden (sha256, cases)
  SELECT sha256, cases FROM asked WHERE sha256 IS NOT NULL ON CONFLICT DO NOTHING
), created AS (
  INSERT INTO changes.changes
    (id, kind, model, version, environment, digest, phase, branch, actor, evidence, history, created_at, updated_at)
  SELECT id, kind, model, version, environment, digest, phase, branch, actor, evidence::json, history::jsonb, at, at
  FROM asked ORDER BY place
  ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO changes.approvals (event_id, change_id)
SELECT DISTINCT event, id FROM asked JOIN created USING (id) RETURNING change_id AS id`;

/** What was approved first stays. */
export const INSERT_LOADED = `
INSERT INTO changes.model_versions (model, version, digest, model_version, baseline)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`;

export const INSERT_GOLDEN = `
INSERT INTO changes.golden (sha256, cases) VALUES ($1, $2) ON CONFLICT DO NOTHING`;

/** The open change that a request of the same kind joins: one retraining for a model, one way back for an environment. */
export const FIND_JOINED = `
SELECT ${COLUMNS} FROM changes.changes
WHERE kind = $1 AND model = $2 AND ($1 = 'retrain' OR environment = $3) AND phase NOT IN ${ENDS} FOR UPDATE`;

/** The newest evidence of an open retraining; the reconciler brings branch and pull request up to it. */
export const REPLACE_REQUEST = `
UPDATE changes.changes SET evidence = $2, updated_at = $3, next_at = clock_timestamp() WHERE id = $1`;

/** Before the merge only; a turn that is under way is followed by another one at once. */
export const WITHDRAW = `
UPDATE changes.changes SET
  facts = facts || jsonb_build_object('withdrawn', $2::jsonb), updated_at = $3, next_at = clock_timestamp(), hints = hints + 1
WHERE id = $1 AND kind = 'retrain' AND phase IN ('requested', 'validated', 'built', 'proposed')
RETURNING ${LIST_COLUMNS}`;

/** Two keys in one space with LOCK_NAME would clash; the class keeps turns apart. */
const TURN_CLASS = 72_041;
export const TAKE_TURNS = `
SELECT id, pg_try_advisory_lock(${TURN_CLASS}, hashtext(id)) AS taken FROM unnest($1::text[]) AS id`;
export const DROP_TURNS = `SELECT pg_advisory_unlock(${TURN_CLASS}, hashtext(id)) FROM unnest($1::text[]) AS id`;

/** Rows are locked in the order of their ids, as by HINT_APPLICATIONS: the two cannot wait for each other. */
export const CLAIM_CHANGES = `
WITH due AS (
  SELECT id FROM changes.changes
  WHERE id = ANY ($1::text[]) AND next_at <= clock_timestamp() AND phase NOT IN ${ENDS} ORDER BY id FOR UPDATE
)
UPDATE changes.changes SET turn = turn + 1, hints_seen = hints WHERE id IN (SELECT id FROM due)
RETURNING ${COLUMNS}, turn`;

const DUE_IN_MS = `ceil(greatest(0, extract(epoch FROM next_at - clock_timestamp())) * 1000)::float8 AS due_in_ms`;
export const DUE_IN = `
SELECT id, ${DUE_IN_MS} FROM changes.changes WHERE id = ANY ($1::text[]) AND phase NOT IN ${ENDS}`;

export const LIST_DUE = `
SELECT id FROM changes.changes
WHERE next_at <= clock_timestamp() - interval '1 second' AND phase NOT IN ${ENDS} ORDER BY next_at LIMIT $1`;

/** Rows are locked in the order of their ids, as by CLAIM_CHANGES. A change whose turn is another one by now is left out. */
export const MOVE_CHANGES = `
WITH held AS (
  SELECT moves.* FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[]) AS moves (own, own_turn, new_phase, new_reason, learned, new_pull_request, new_image, entries, moved_at)
  JOIN changes.changes ON id = own AND turn = own_turn ORDER BY id FOR UPDATE OF changes
)
UPDATE changes.changes SET
  phase = new_phase, reason = new_reason, facts = facts || learned::jsonb,
  pull_request = coalesce(new_pull_request::json, pull_request), image = coalesce(new_image, image),
  history = CASE WHEN phase = new_phase THEN history ELSE history || entries::jsonb END,
  attempts = 0, updated_at = moved_at, next_at = clock_timestamp(), hints_seen = hints
FROM held WHERE id = own AND turn = own_turn
RETURNING ${COLUMNS}, phase IN ${ENDS} AS ended`;

/** A hint that came while the turn ran makes the next one due at once. */
const NEXT_AT = `CASE WHEN hints <> hints_seen THEN clock_timestamp() ELSE clock_timestamp() + $4 * interval '1 millisecond' END`;

export const WAIT_CHANGE = `
UPDATE changes.changes SET
  updated_at = CASE WHEN reason IS DISTINCT FROM $3 THEN $5 ELSE updated_at END,
  reason = $3, facts = facts || $6::jsonb, attempts = 0, next_at = ${NEXT_AT}
WHERE id = $1 AND turn = $2 RETURNING ${DUE_IN_MS}`;

/** Failures keep their distance, whatever is hinted. */
export const RETRY_CHANGE = `
UPDATE changes.changes SET
  reason = $3, attempts = attempts + 1, updated_at = $5, next_at = clock_timestamp() + $4 * interval '1 millisecond'
WHERE id = $1 AND turn = $2 RETURNING ${DUE_IN_MS}`;

/** An end that comes with the end of another change; one that is over stays as it is, but what was superseded may still be found bad. */
export const END_CHANGE = `
UPDATE changes.changes SET phase = $2, reason = $3, updated_at = $4, history = history || $5::jsonb, turn = turn + 1
WHERE id = $1 AND phase NOT IN ('rejected', 'rolled-back') AND (phase <> 'superseded' OR $2 = 'rolled-back')
RETURNING ${COLUMNS}`;

/** What served before steps back when a change that was merged later is live in the same model and environment. */
export const SUPERSEDE_LIVE = `
UPDATE changes.changes AS other SET phase = 'superseded', reason = $2, updated_at = $3, history = other.history || $4::jsonb
FROM changes.changes AS own
WHERE own.id = $1 AND other.id <> $1 AND other.kind IN ('deploy', 'rollback') AND other.phase = 'live'
  AND (other.model, other.environment) = (own.model, own.environment)
  AND (coalesce((other.facts ->> 'mergedAt')::timestamptz, '-infinity'), other.seq)
    < (coalesce((own.facts ->> 'mergedAt')::timestamptz, 'infinity'), own.seq)`;

/** An Application's name follows from the change by convention (render/paths.ts). */
export const HINT_APPLICATIONS = `
WITH waiting AS (
  SELECT id FROM changes.changes
  WHERE phase NOT IN ${ENDS} AND phase IN ('merged', 'syncing', 'verifying')
    AND CASE kind WHEN 'retrain' THEN model || '-retrain-' || id ELSE model || '-' || environment END = ANY ($1)
  ORDER BY id FOR UPDATE
)
UPDATE changes.changes SET next_at = clock_timestamp(), hints = hints + 1 WHERE id IN (SELECT id FROM waiting)
RETURNING id`;

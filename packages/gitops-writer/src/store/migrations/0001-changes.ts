export const sql = `
CREATE TABLE changes.changes (
  seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  id text PRIMARY KEY,
  kind text NOT NULL,
  model text NOT NULL,
  version text NOT NULL,
  environment text NOT NULL,
  digest text,
  phase text NOT NULL,
  reason text,
  branch text NOT NULL UNIQUE,
  image text,
  pull_request json,
  actor text NOT NULL,
  -- json, not jsonb: what people sent is kept as it was sent.
  evidence json NOT NULL,
  facts jsonb NOT NULL DEFAULT '{}',
  history jsonb NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  next_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX changes_due ON changes.changes (next_at)
  WHERE phase NOT IN ('live', 'rejected', 'superseded', 'failed', 'rolled-back');
CREATE INDEX changes_target ON changes.changes (model, environment, seq DESC);
-- At most one open retraining for each model, whoever asks at the same time.
CREATE UNIQUE INDEX changes_open_retrain ON changes.changes (model)
  WHERE kind = 'retrain' AND phase NOT IN ('live', 'rejected', 'superseded', 'failed', 'rolled-back');

CREATE TABLE changes.approvals (
  event_id text PRIMARY KEY,
  change_id text NOT NULL REFERENCES changes.changes,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE changes.requests (
  dedupe_key text PRIMARY KEY,
  change_id text NOT NULL REFERENCES changes.changes,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE changes.model_versions (
  model text NOT NULL,
  version text NOT NULL,
  digest text NOT NULL,
  model_version json NOT NULL,
  baseline json NOT NULL,
  PRIMARY KEY (model, version, digest)
);
CREATE TABLE changes.outbox (
  seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  delivery_id text PRIMARY KEY,
  change_id text NOT NULL REFERENCES changes.changes,
  event text NOT NULL,
  title text NOT NULL,
  content json NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  reason text,
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  next_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX outbox_due ON changes.outbox (next_at) WHERE state = 'pending';
`;

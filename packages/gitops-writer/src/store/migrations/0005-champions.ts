export const sql = `
-- What was last seen of each model's champion.
CREATE TABLE changes.champions (
  model text PRIMARY KEY,
  seen json NOT NULL,
  looked_at timestamptz NOT NULL
);
-- Hooks of registries, from the moment they were taken.
CREATE TABLE changes.inbox (
  id text PRIMARY KEY,
  registry text NOT NULL,
  payload json NOT NULL,
  claim json NOT NULL,
  state text NOT NULL DEFAULT 'received',
  reason text,
  change_id text,
  attempts integer NOT NULL DEFAULT 0,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  next_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX inbox_due ON changes.inbox (next_at) WHERE state = 'received';
CREATE INDEX inbox_received ON changes.inbox (received_at);
-- Cards about something that no change stands for. The version before reads such a row as one of no change, which it is.
ALTER TABLE changes.outbox ALTER COLUMN change_id DROP NOT NULL;
`;

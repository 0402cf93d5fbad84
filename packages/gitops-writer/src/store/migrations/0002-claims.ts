export const sql = `
-- Fencing: each claim raises turn, and a turn settles only while it still is the newest.
ALTER TABLE changes.changes ADD COLUMN turn bigint NOT NULL DEFAULT 0;
-- Hints that came so far, and how many of them the running turn knows of.
ALTER TABLE changes.changes ADD COLUMN hints bigint NOT NULL DEFAULT 0;
ALTER TABLE changes.changes ADD COLUMN hints_seen bigint NOT NULL DEFAULT 0;
-- At most one open way back, and one open retirement, for each model and environment.
CREATE UNIQUE INDEX changes_open_way_back ON changes.changes (kind, model, environment)
  WHERE kind IN ('rollback', 'retire') AND phase NOT IN ('live', 'rejected', 'superseded', 'failed', 'rolled-back');
CREATE INDEX changes_of_version ON changes.changes (model, version, seq DESC);
`;

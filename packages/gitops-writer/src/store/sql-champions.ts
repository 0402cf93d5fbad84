export const READ_CHAMPION = 'SELECT seen, looked_at FROM changes.champions WHERE model = $1';

export const LIST_CHAMPIONS = 'SELECT seen, looked_at FROM changes.champions ORDER BY model';

export const WRITE_CHAMPION = `
INSERT INTO changes.champions (model, seen, looked_at) VALUES ($1, $2, $3)
ON CONFLICT (model) DO UPDATE SET seen = excluded.seen, looked_at = excluded.looked_at`;

/** The newest deploy change whose event begins with $3. */
export const FIND_DECIDED = `
SELECT approvals.event_id AS event, changes.id AS change, changes.created_at
FROM changes.changes JOIN changes.approvals ON approvals.change_id = changes.id
WHERE model = $1 AND environment = $2 AND kind = 'deploy' AND starts_with(approvals.event_id, $3)
ORDER BY seq DESC LIMIT 1`;

/** A change that has ended before anything was done for it. */
export const INSERT_REJECTED = `
INSERT INTO changes.changes
  (id, kind, model, version, environment, digest, phase, branch, actor, evidence, history, created_at, updated_at, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13)`;

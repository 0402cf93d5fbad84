export const sql = `
ALTER TABLE changes.outbox ADD COLUMN channel text NOT NULL DEFAULT 'teams';
-- The version before posts whatever is 'pending' to Teams; what is written from here on is 'due' until it is sent, so that
-- no workflow's answer is posted there while both run.
CREATE INDEX outbox_waiting ON changes.outbox (channel, seq) WHERE state IN ('pending', 'due');
CREATE INDEX outbox_of_change ON changes.outbox (change_id, channel, seq) WHERE state IN ('pending', 'due');
`;

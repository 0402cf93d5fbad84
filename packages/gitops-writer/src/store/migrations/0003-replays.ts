export const sql = `
-- What counts once: nonces of signed requests and webhook deliveries, for as long as they could come again.
CREATE TABLE changes.seen (
  scope text NOT NULL,
  id text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (scope, id)
);
CREATE INDEX seen_expired ON changes.seen (expires_at);
`;

export const sql = `
-- What all writers together have asked of a forge that publishes limits, and how long it wants to be left alone. Of the last hour, and worth nothing after a crash.
CREATE UNLOGGED TABLE changes.forge_calls (
  host text NOT NULL,
  kind text NOT NULL,
  calls integer NOT NULL,
  at timestamptz NOT NULL
);
CREATE INDEX forge_calls_at ON changes.forge_calls (host, at);
CREATE UNLOGGED TABLE changes.forge_pauses (
  host text NOT NULL,
  resource text NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (host, resource)
);
`;

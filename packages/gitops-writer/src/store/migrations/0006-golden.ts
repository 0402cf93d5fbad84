export const sql = `
-- Golden cases by their hash: a later approval of the same bytes may come with other ones.
CREATE TABLE changes.golden (
  sha256 text PRIMARY KEY,
  cases text NOT NULL
);
`;

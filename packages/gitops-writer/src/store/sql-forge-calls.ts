/** Writers ask one after the other: two that both see the last place free would both take it. */
export const LOCK_HOST = "SELECT pg_advisory_xact_lock(hashtextextended('forge calls ' || $1, 0))";

/** $1: host; $2: parts of the API, all of it among them. How long the longest of their pauses still lasts. */
export const PAUSED = `
SELECT ceil(extract(epoch FROM max(until) - clock_timestamp()) * 1000)::integer AS wait
FROM changes.forge_pauses WHERE host = $1 AND resource = ANY ($2::text[]) AND until > clock_timestamp()`;

/**
 * $1: host; $2: length of a window in ms; $3, $4: what a read and a write cost; $5: its limit; $6: cost of the call that is asked for.
 * How many of them still fit, and in how many ms the next one does.
 */
export const ROOM = `
WITH spent AS (
  SELECT at, sum(cost) OVER (ORDER BY at) AS upto, sum(cost) OVER () AS total
  FROM (
    SELECT at, calls * CASE kind WHEN 'read' THEN $3::integer ELSE $4::integer END AS cost
    FROM changes.forge_calls WHERE host = $1 AND at > clock_timestamp() - $2 * interval '1 millisecond'
  ) AS counted WHERE cost > 0
)
SELECT floor(($5 - coalesce(max(total), 0))::numeric / $6)::integer AS room,
  greatest(1, ceil(extract(epoch FROM min(at) FILTER (WHERE upto >= total + $6 - $5) + $2 * interval '1 millisecond' - clock_timestamp()) * 1000))::integer AS wait
FROM spent`;

export const COUNT = 'INSERT INTO changes.forge_calls (host, kind, calls, at) VALUES ($1, $2, $3, clock_timestamp())';

export const FORGET =
  "DELETE FROM changes.forge_calls WHERE host = $1 AND at < clock_timestamp() - $2 * interval '1 millisecond'";

/** A shorter pause does not end a longer one. */
export const PAUSE = `
INSERT INTO changes.forge_pauses (host, resource, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
ON CONFLICT (host, resource) DO UPDATE SET until = greatest(forge_pauses.until, excluded.until)`;

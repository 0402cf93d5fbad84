import type { Pool } from 'pg';
import type { DashboardStore, StoredPolicy } from '../ports.ts';

const POLICY = 'select blob, text, problem from monitoring.policies where model = $1';

const TOTALS = `
select coalesce(sum(count), 0)::float8 as predictions, coalesce(sum(count) filter (where label >= 0), 0)::float8 as labelled
from monitoring.score_counts`;

const ACTIVE = `
select exists (select 1 from monitoring.dirty_hours where touched_at > now() - interval '1 minute')
  or exists (select 1 from monitoring.outbox where state = 'pending')
  or exists (select 1 from monitoring.verdicts where judged_at > now() - interval '1 minute') as active`;

/** What only the dashboard asks for. */
export function dashboardStore(pool: Pool): DashboardStore {
  return {
    policy: async (model) => (await pool.query<StoredPolicy>(POLICY, [model])).rows[0],
    totals: async () => {
      const { rows } = await pool.query<{ predictions: number; labelled: number }>(TOTALS);
      return rows[0] ?? { predictions: 0, labelled: 0 };
    },
    active: async () => (await pool.query<{ active: boolean }>(ACTIVE)).rows[0]?.active ?? false,
  };
}

import { iso } from '@fairway/core';
import type { Pool } from 'pg';
import type { Activity, DashboardStore, StoredPolicy, UnsentRetrain } from '../ports.ts';

const POLICY = 'select blob, text, problem, remark from monitoring.policies where model = $1';

const UNSENT_RETRAINS = `
select title, state, reason, coalesce(settled_at, created_at) as at from monitoring.outbox
where kind = 'retrain' and state <> 'accepted' order by created_at desc limit $1`;

/** Below -1 stand parts of sums, of models that predict a number (ADR 14). */
const TOTALS = `
select coalesce(sum(count), 0)::float8 as predictions, coalesce(sum(count) filter (where label >= 0), 0)::float8 as labelled
from monitoring.all_score_counts where label >= -1`;

/** Quiet hours hold a card (`decided_at`) until they end: nothing goes on meanwhile. */
const ACTIVITY = `
select case
  when exists (select 1 from monitoring.outbox where state = 'pending' and not (kind = 'card' and decided_at is not null)) then 'telling'
  when exists (select 1 from monitoring.dirty_hours where touched_at > now() - interval '1 minute') then 'counting'
  when exists (select 1 from monitoring.verdicts where judged_at > now() - interval '1 minute') then 'judged'
end as activity`;

/** What only the dashboard asks for. */
export function dashboardStore(pool: Pool): DashboardStore {
  return {
    policy: async (model) => (await pool.query<StoredPolicy>(POLICY, [model])).rows[0],
    unsentRetrains: async (limit) => {
      const { rows } = await pool.query<Omit<UnsentRetrain, 'at'> & { at: Date }>(UNSENT_RETRAINS, [limit]);
      return rows.map((row) => ({ ...row, at: iso(row.at.getTime()) }));
    },
    totals: async () => {
      const { rows } = await pool.query<{ predictions: number; labelled: number }>(TOTALS);
      return rows[0] ?? { predictions: 0, labelled: 0 };
    },
    activity: async () => (await pool.query<{ activity: Activity | null }>(ACTIVITY)).rows[0]?.activity ?? undefined,
  };
}

import { iso } from '@fairway/core';
import type { Pool } from 'pg';
import type { CheckStore, DeadRetrain, FutureHours, RemarkedPolicy, UnusablePolicy } from '../ports/notify.ts';

const UNUSABLE =
  'select model, blob, problem from monitoring.policies where problem is not null order by model limit 1000';

const REMARKED =
  'select model, blob, remark from monitoring.policies where remark is not null order by model limit 1000';

/** A retraining of last month is news no more. */
const DEAD_RETRAINS = `
select delivery_id as "deliveryId", model, version, environment, coalesce(reason, 'It was given up.') as reason
from monitoring.outbox where kind = 'retrain' and state = 'dead' and settled_at > now() - interval '7 days' limit 1000`;

/** A window that has not ended keeps its marks, so what lies ahead is among them. */
const FUTURE = `
select model, version, environment, max(hour) as last from monitoring.dirty_hours
where hour > $1::timestamptz + interval '1 hour' group by 1, 2, 3 order by 1, 2, 3 limit 1000`;

const ADD = `
insert into monitoring.outbox (delivery_id, kind, event, title, model, version, environment, payload, link)
values ($1, 'card', $2, $3, $4, $5, $6, $7, $8) on conflict (delivery_id) do nothing`;

/** What keeps checks from being made, in PostgreSQL. */
export const checkStore = (pool: Pool): CheckStore => ({
  unusablePolicies: async () => (await pool.query<UnusablePolicy>(UNUSABLE)).rows,
  remarkedPolicies: async () => (await pool.query<RemarkedPolicy>(REMARKED)).rows,
  deadRetrains: async () => (await pool.query<DeadRetrain>(DEAD_RETRAINS)).rows,
  futureHours: async (now) => {
    const { rows } = await pool.query<Omit<FutureHours, 'last'> & { last: Date }>(FUTURE, [iso(now)]);
    return rows.map(({ last, ...of }) => ({ ...of, last: iso(last.getTime()) }));
  },
  add: async (items) => {
    for (const { deliveryId, event, title, model, version, environment, payload, link } of items) {
      const values = [deliveryId, event, title, model, version, environment, JSON.stringify(payload), link ?? null];
      await pool.query(ADD, values);
    }
  },
});

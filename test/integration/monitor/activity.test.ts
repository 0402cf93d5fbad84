import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dashboardStore } from '../../../packages/monitor/src/store/dashboard-store.ts';
import { empty, type Monitoring, startMonitoring } from './database.ts';

let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(() => database.stop());
beforeEach(() => empty(pool));

const activity = () => dashboardStore(pool).activity();

const counted = (ago: string) =>
  pool.query(
    `insert into monitoring.dirty_hours (model, version, environment, hour, touched_at) values ('m', '1', 'prod', now(), now() - $1::interval)`,
    [ago],
  );
const judged = (ago: string) =>
  pool.query(
    `insert into monitoring.verdicts (id, model, version, environment, start, body, judged_at) values ('v', 'm', '1', 'prod', now(), '{}', now() - $1::interval)`,
    [ago],
  );
const queued = (kind: 'card' | 'retrain', state: string, decided: boolean) =>
  pool.query(
    `insert into monitoring.outbox (delivery_id, kind, event, title, model, version, environment, payload, state, decided_at)
     values ($1, $1, 'alert', 't', 'm', '1', 'prod', '{}', $2, case when $3 then now() end)`,
    [kind, state, decided],
  );

test('nothing goes on where all is old, sent, or held until quiet hours end', async () => {
  expect(await activity()).toBeUndefined();
  await counted('2 minutes');
  await judged('2 minutes');
  await queued('retrain', 'accepted', true);
  await queued('card', 'pending', true);
  expect(await activity()).toBeUndefined();
});

test('says which of them goes on', async () => {
  await judged('1 second');
  expect(await activity()).toBe('judged');
  await counted('1 second');
  expect(await activity()).toBe('counting');
  await queued('retrain', 'pending', true);
  expect(await activity()).toBe('telling');
});

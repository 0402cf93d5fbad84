import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { operatingFigures } from '../../../packages/gitops-writer/src/store/figures.ts';
import { migrate } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';

let postgres: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
beforeAll(async () => {
  postgres = await startPostgres();
  pool = openTestPool(postgres.url);
  await migrate(pool);
});
afterAll(async () => {
  await pool.end();
  await postgres.stop();
});

const HOUR_S = 3600;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_S * 1000).toISOString();

const change = (id: string, phase: string, createdHoursAgo: number, history: unknown[]) =>
  pool.query(
    `INSERT INTO changes.changes
      (id, kind, model, version, environment, phase, branch, actor, evidence, history, created_at, updated_at)
      VALUES ($1, 'deploy', 'm', '1', 'dev', $2, $1, 'alice', '{}', $3, $4, now())`,
    [id, phase, JSON.stringify(history), ago(createdHoursAgo)],
  );
const delivery = (id: string, state: string, hoursAgo: number) =>
  pool.query(
    `INSERT INTO changes.outbox (delivery_id, change_id, channel, event, title, content, state, created_at, next_at)
      VALUES ($1, 'a', 'teams', 'live', $1, '{}', $2, $3, $3)`,
    [id, state, ago(hoursAgo)],
  );

it('counts open changes by phase, and how long the first of each is there', async () => {
  await change('a', 'syncing', 100, [{ phase: 'syncing', at: ago(2) }]);
  await change('b', 'syncing', 100, [
    { phase: 'merged', at: ago(50) },
    { phase: 'syncing', at: ago(5) },
  ]);
  await change('c', 'requested', 3, []);
  await change('d', 'live', 100, [{ phase: 'live', at: ago(90) }]);
  const { open } = await operatingFigures(pool);
  const rows = open.map(({ phase, changes, ageS }) => [phase, changes, Math.floor(ageS / HOUR_S)]);
  expect(rows).toHaveLength(2);
  expect(new Set(rows.map(String))).toEqual(new Set(['requested,1,3', 'syncing,2,5']));
});

it('counts what was given up within a day, and knows the oldest that waits', async () => {
  await delivery('old', 'dead', 30);
  await delivery('new', 'dead', 2);
  await delivery('sent', 'accepted', 40);
  expect((await operatingFigures(pool)).outbox).toEqual([{ channel: 'teams', dead: 1, oldestS: 0 }]);
  await delivery('waits', 'due', 4);
  const [teams] = (await operatingFigures(pool)).outbox;
  expect(Math.floor((teams?.oldestS ?? 0) / HOUR_S)).toBe(4);
});

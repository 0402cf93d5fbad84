import { silentLogger } from '@fairway/core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import type { PackStore } from '../../../packages/monitor/src/ports.ts';
import { openPool } from '../../../packages/monitor/src/store/database.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { recount, sorted, stored } from './counts.ts';
import { baseline, cases, exchange, modelVersion, pack } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(500, 1)) };
const BOUND_MS = 500;

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
let frozenPool: Pool;

beforeAll(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
  await migrate(pool);
  frozenPool = openPool(database.url, 'frozen', silentLogger, BOUND_MS);
});
afterAll(async () => {
  await frozenPool.end();
  await pool.end();
  await database.stop();
});

/** A store whose transaction begins, and goes on when `thaw` is called. */
function freezing(store: PackStore) {
  let begin = () => {};
  let thaw = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const thawed = new Promise<void>((resolve) => (thaw = resolve));
  const once: PackStore['once'] = (ledger, work, trial) =>
    store.once(
      ledger,
      async (transaction) => {
        begin();
        await thawed;
        await work(transaction);
      },
      trial,
    );
  return { store: { ...store, once }, begun, thaw: () => thaw() };
}

const needs = (store: PackStore) => ({ store, references: async () => reference, log: silentLogger });

test('a recorder that is frozen in a transaction holds up packs and labels for a while, and its pack is stored once', async () => {
  const given = pack(
    cases(20, 2).map((row, index) =>
      exchange({ id: `${index}`, rows: [row], time: '2025-01-01T00:00:00.000Z' }, index + 1),
    ),
    1,
  );
  const frozen = freezing(packStore(frozenPool));
  const lost = recordPack(needs(frozen.store), given).catch((error: Error) => error);
  await frozen.begun;
  // Whose prediction is not there is looked for once more while no pack is recorded, and packs behind it wait as well.
  const early = addLabels(labelStore(pool), [{ id: 'nobody', label: 1 }], []);
  const again = recordPack(needs(packStore(pool)), given);
  expect(await early).toMatchObject({ early: 1 });
  expect(await again).toEqual({ outcome: 'stored', predictions: 20 });
  frozen.thaw();
  expect(await lost).toMatchObject({ disposition: 'retryable' });
  expect(await recordPack(needs(packStore(frozenPool)), given)).toEqual({ outcome: 'known', predictions: 0 });
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, reference.baseline)));
});

import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recorderFigures } from '../../../packages/monitor/src/store/recorder-figures.ts';
import { type Monitoring, startMonitoring } from './database.ts';

let database: Monitoring;
let pool: Pool;
beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(() => database.stop());

const PREDICTION = `
insert into monitoring.prediction_rows (day, id, stream, time, status, latency_ms, pack, inputs, outputs)
values ((now() at time zone 'utc')::date + $1::int, $2, 1, now(), 200, 1, 1, '{}', '{}')`;
const NONE = { pack_frames: 0, exchange_rows: 0, prediction_rows: 0, prediction_labels: 0 };

test('counts what is not added up, and what of today has no partition', async () => {
  expect(await recorderFigures(pool)).toEqual({ unfolded: 0, unpartitioned: NONE });
  await pool.query(
    `insert into monitoring.appended_counts values (now(), 5, 'm', '1', 'prod', '{1,2}', '{-1,-1}', '{1,1}', '{x,x,x}', '{1,2,3}', '{1,1,1}'),
       (now(), 2, 'm', '1', 'prod', '{3,4}', '{-1,-1}', '{1,1}', '{}', '{}', '{}')`,
  );
  // What is added up is not behind, and imported history may lie where it lies.
  await pool.query(`insert into monitoring.profile_counts values ('m', '1', 'prod', now(), 'x', 1, 1)`);
  await pool.query(PREDICTION, [0, 'x-1']);
  await pool.query(PREDICTION, [-900, 'x-2']);
  expect(await recorderFigures(pool)).toEqual({ unfolded: 7, unpartitioned: { ...NONE, prediction_rows: 1 } });
});

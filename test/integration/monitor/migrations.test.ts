import type { Pool } from 'pg';
import { silentLogger, timedId } from '@fairway/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { first } from '../../../packages/monitor/src/store/migrations/0001-first.ts';
import { days } from '../../../packages/monitor/src/store/migrations/0002-days.ts';
import { labels } from '../../../packages/monitor/src/store/migrations/0003-labels.ts';
import { records } from '../../../packages/monitor/src/store/migrations/0004-records.ts';
import { deliveries } from '../../../packages/monitor/src/store/migrations/0005-deliveries.ts';
import { evidence } from '../../../packages/monitor/src/store/migrations/0006-evidence.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { cases, exchange, pack } from './support.ts';

const TO_0006 = [first, days, labels, records, deliveries, evidence];
const NOON = Date.parse('2026-11-20T12:00:00.000Z');
const idOf = (index: number) => timedId(NOON + index * 1000, String(index).padStart(4, '0').padEnd(20, '0'));

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;

beforeEach(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
});
afterEach(async () => {
  await pool.end();
  await database.stop();
});

async function at0006(): Promise<void> {
  await pool.query('create schema monitoring');
  await pool.query(
    'create table monitoring.migrations (number integer primary key, applied_at timestamptz not null default now())',
  );
  for (const [index, sql] of TO_0006.entries()) {
    await pool.query(sql);
    await pool.query('insert into monitoring.migrations (number) values ($1)', [index + 1]);
  }
  const partition = (table: string) =>
    `create table monitoring.${table}_20261120 partition of monitoring.${table} for values from ('2026-11-20') to ('2026-11-21')`;
  for (const table of ['exchanges', 'predictions']) await pool.query(partition(table));
}

const EXCHANGE = `insert into monitoring.exchanges
  select '2026-11-20', $1, 'm', $2, 'prod', $3, $4, $5, 1.25, $6, $7, $8, $9, $10, $11`;
const PREDICTION = `insert into monitoring.predictions
  select '2026-11-20', $1, $2, 'm', $3, 'status', 'prod', $4, $5, $6, '{"P": 0.5}', 1.25, 200, $7, $8, $9`;

type Old = { readonly id: string; readonly instances?: number; readonly reason?: string; readonly label?: number };

async function store({ id, instances = 1, reason, label = -1 }: Old, index: number): Promise<void> {
  const version = String(1 + (index % 2));
  const time = new Date(NOON + index * 1000).toISOString();
  const caller = index % 3 === 0 ? `caller-${index}` : null;
  const head = JSON.stringify({ v: 1, id, versionSource: 'status', ...(index % 5 === 0 ? { sampling: 0.25 } : {}) });
  const bytes = [Buffer.from([0, 255, index % 256]), Buffer.from(`answer ${index}`)];
  const status = reason === undefined ? 200 : 503;
  const outcome = reason === 'client_aborted' ? reason : 'complete';
  const count = reason === undefined ? instances : 0;
  await pool.query(EXCHANGE, [id, version, time, status, outcome, caller, ...bytes, head, count, reason ?? null]);
  for (let i = 0; i < count; i++) {
    const seen = label < 0 ? null : '2026-12-01T00:00:00Z';
    const values = [
      `${id}-${i}`,
      id,
      version,
      time,
      index / 7,
      `{"income": ${index}, "text": "\\\\t"}`,
      caller,
      label,
      seen,
    ];
    await pool.query(PREDICTION, values);
  }
}

const EXCHANGES = `select day::text, id, model, version, environment, time, status, outcome, latency_ms, correlation_id, request,
  response, head, instances, reason from monitoring.exchanges order by id`;
const PREDICTIONS = `select day::text, id, exchange, model, version, version_source, environment, time, score, inputs::text,
  outputs::text, latency_ms, status, correlation_id, label, observed_at from monitoring.predictions order by id`;
const FAILURES = 'select * from monitoring.failures order by id';

const answers = async () => {
  const all = [];
  for (const sql of [EXCHANGES, PREDICTIONS, FAILURES]) all.push((await pool.query(sql)).rows);
  return all;
};

test('what was stored before rows were slim gives the same answers, and goes on', async () => {
  await at0006();
  const stored: Old[] = Array.from({ length: 230 }, (_, index) => ({
    id: idOf(index),
    ...(index % 50 === 7 ? { instances: 3 } : {}),
    ...(index % 50 === 9 ? { reason: index % 4 === 1 ? 'client_aborted' : 'status_503' } : {}),
    ...(index % 4 === 0 ? { label: index % 8 === 0 ? 1 : 0 } : {}),
  }));
  for (const [index, old] of stored.entries()) await store(old, index);
  const before = await answers();
  expect(before.map((rows) => rows.length)).toEqual([230, 235, 5]);
  await Promise.all([migrate(pool), migrate(pool)]);
  expect(await answers()).toEqual(before);
  const places = await pool.query(
    'select distinct tableoid::regclass::text as place from monitoring.prediction_rows union select distinct tableoid::regclass::text from monitoring.pack_frames order by 1',
  );
  expect(places.rows.map(({ place }) => place)).toEqual([
    'monitoring.pack_frames_20261120',
    'monitoring.prediction_rows_20261120',
  ]);
  const sampled = await pool.query('select count(*)::int as n from monitoring.exchanges where sampling = 0.25');
  expect(sampled.rows).toEqual([{ n: 46 }]);

  // Labels and packs that come now know what was there.
  const given = [
    { id: idOf(1), label: 1 as const },
    { id: `${idOf(7)}-2`, label: 0 as const },
    { id: 'caller-3', label: 1 as const },
    { id: idOf(4), label: 1 as const },
  ];
  expect(await addLabels(labelStore(pool), given, [])).toMatchObject({ joined: 3, corrected: 1, refused: [] });
  const needs = { store: packStore(pool), references: async () => undefined, log: silentLogger };
  const again = exchange({ id: idOf(1), rows: cases(1, 1), time: '2026-11-20T12:00:00.000Z' }, 1);
  const more = exchange({ id: idOf(500), rows: cases(1, 2), time: '2026-11-20T12:00:00.000Z' }, 2);
  expect(await recordPack(needs, pack([again, more], 1))).toEqual({ outcome: 'stored', predictions: 1 });
  const kept = await pool.query('select request from monitoring.exchanges where id = any($1) order by id', [
    [idOf(1), idOf(500)],
  ]);
  expect(kept.rows.map(({ request }) => request)).toEqual([Buffer.from([0, 255, 1]), more.request]);
});

test('a program of an earlier version refuses a schema that it does not know', async () => {
  await migrate(pool);
  await migrate(pool);
  const { rows } = await pool.query('select count(*)::int as n from monitoring.migrations');
  await pool.query('insert into monitoring.migrations (number) values ($1)', [rows[0].n + 1]);
  await expect(migrate(pool)).rejects.toMatchObject({
    code: 'config.invalid',
    message: expect.stringContaining(`migration ${rows[0].n + 1}, and this program knows ${rows[0].n}`),
  });
});

test('a recorder of the version before, still running, can write nothing into the new tables', async () => {
  await migrate(pool);
  for (const table of ['exchanges', 'predictions']) {
    await expect(pool.query(`copy monitoring.${table} from program 'true'`)).rejects.toThrow('cannot copy to view');
    await expect(pool.query(`update monitoring.${table} set id = id`)).rejects.toThrow('cannot update view');
  }
});

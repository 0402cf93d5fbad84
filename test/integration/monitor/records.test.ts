import { type Exchange, silentLogger } from '@fairway/core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { type Monitoring, startMonitoring } from './database.ts';
import { baseline, cases, exchange, modelVersion, pack } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(200, 1)) };
const TIME = '2025-01-01T00:00:00.000Z';

let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(() => database.stop());

beforeEach(async () => {
  await pool.query(
    'truncate monitoring.packs, monitoring.quarantined_packs, monitoring.pack_frames, monitoring.exchange_rows, monitoring.prediction_rows, monitoring.prediction_labels cascade',
  );
});

const record = (...exchanges: Exchange[]) =>
  recordPack(
    { store: packStore(pool), references: async () => reference, log: silentLogger },
    pack(exchanges, exchanges[0]?.head.seq ?? 0),
  );

const made = (id: string, request: string | Uint8Array, response: string | Uint8Array, seq: number): Exchange => ({
  ...exchange({ id, rows: cases(1, 1), time: TIME }, seq),
  request: Buffer.from(request),
  response: Buffer.from(response),
});

const JOBS = [
  ['1e1', '"NaN"'],
  ['NaN', '"a\\u0000\\t\\\\"'],
  ['-Infinity', 'null'],
  ['9007199254740993', '{"b64": "T2ZmaWNl"}'],
  ['[-0]', '{"b64": "/w=="}'],
  ['[1, NaN]', '{"deep": [1]}'],
];

test('every value of the dialect has its own place in the view, and the bytes stay', async () => {
  const request = `{"instances": [${JOBS.map(([income, job]) => `{"income": ${income}, "job": ${job}, "$x": 1}`).join()}, {}]} \0`;
  const response = `{"predictions": [${JOBS.map((_, index) => `{"p_event": 0.${index}, "n": 18446744073709551615}`).join()}, {"p_event": NaN}]}`;
  await record(made('odd', request, response, 0));
  const { rows } = await pool.query(`
    select inputs::text as view, outputs#>>'{n,value}' as n, inputs->'$' as flags, score,
      monitoring.input_cell(inputs, 'income') as income, monitoring.input_cell(inputs, 'job') as job,
      monitoring.input_cell(inputs, '$x') as x
    from monitoring.predictions order by id collate "C"`);
  const n = '18446744073709551615';
  const common = { n, flags: null, x: '1' };
  expect(rows.map((row) => ({ ...row, view: undefined }))).toEqual([
    { ...common, score: 0, income: '10', job: null },
    { ...common, flags: ['sanitised'], score: 0.1, income: null, job: 'a\uFFFD\t\\' },
    { ...common, score: 0.2, income: '-Infinity', job: null },
    { ...common, score: 0.3, income: '9007199254740993', job: 'Office' },
    { ...common, score: 0.4, income: '0', job: '/w==' },
    { ...common, score: 0.5, income: '[1,{"$":"NaN"}]', job: '{"deep":[1]}' },
    { n: null, flags: null, x: null, score: null, income: null, job: null },
  ]);
  expect(JSON.parse(rows[1].view as string)).toEqual({
    income: { $: 'NaN' },
    job: 'a\uFFFD\t\\',
    $$x: 1,
    $: ['sanitised'],
  });
  const kept = await pool.query("select request from monitoring.exchanges where id = 'odd'");
  expect(kept.rows[0].request).toEqual(Buffer.from(request));
});

test('a failed call is one row with its bytes, and no prediction', async () => {
  const failed = made('failed', '{"instances": [', Buffer.from([0xff, 0x00]), 10);
  const aborted = made('aborted', '{"instances": [{}]}', '', 11);
  const result = await record(
    { ...failed, head: { ...failed.head, status: 400, correlationId: 'r-1' } },
    { ...aborted, head: { ...aborted.head, status: 0, outcome: 'upstream_aborted' } },
    made('unreadable', 'x', 'y', 12),
  );
  expect(result).toMatchObject({ outcome: 'stored', predictions: 0 });
  const { rows } = await pool.query(
    'select id, status, outcome, reason, latency_ms >= 0 as timed, correlation_id, error_body from monitoring.failures order by id',
  );
  expect(rows).toEqual([
    {
      id: 'aborted',
      status: 0,
      outcome: 'upstream_aborted',
      reason: 'upstream_aborted',
      timed: true,
      correlation_id: null,
      error_body: Buffer.alloc(0),
    },
    {
      id: 'failed',
      status: 400,
      outcome: 'complete',
      reason: 'status_400',
      timed: true,
      correlation_id: 'r-1',
      error_body: Buffer.from([0xff, 0x00]),
    },
  ]);
  const ledger = await pool.query('select exchanges, quarantined from monitoring.packs where first = 10');
  expect(ledger.rows).toEqual([{ exchanges: 3, quarantined: 1 }]);
});

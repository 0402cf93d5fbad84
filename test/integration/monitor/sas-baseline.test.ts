import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { type ModelVersion, silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { baselineText, sendBaseline } from '../../../packages/cli/src/commands/sas-baseline.ts';
import { monitorApi } from '../../../packages/monitor/src/api/monitor-api.ts';
import { sasTables } from '../../../packages/monitor/src/store/sas-tables.ts';
import { sasPerformanceTables } from '../../../packages/monitor/src/sas-tables.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { baseline, cases, modelVersion, MODEL } from './support.ts';

const SERIES = { model: MODEL, version: '1', environment: 'prod' };
const NAME = 'FWLOANSV1PROD_1_Baseline';
/** No dashboard. */
const nobody = (_request: unknown, _response: unknown, next: () => void) => next();
const TOKEN = 'monitor-test-token';
/** What the list was before training data had a place. */
const FIRST_LIST = `create schema sas; create table sas.fairway_catalog (name text primary key, model text not null,
  version text not null, environment text not null, period text not null, start timestamptz not null, ends timestamptz not null,
  sequence integer not null, rows bigint not null, labelled bigint not null, made_at timestamptz not null default now(),
  unique (model, version, environment, start))`;

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
let server: Server;
let folder: string;
let version: ModelVersion;

beforeAll(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
  folder = mkdtempSync(join(tmpdir(), 'fairway-training-'));
  const { route } = sasPerformanceTables({
    store: { counts: () => Promise.reject(new Error('no period is asked for')) },
    starts: async () => [],
    policy: async () => undefined,
    parsePolicy: () => {
      throw new Error('no policy is asked for');
    },
    references: async (model, asked) =>
      model === MODEL && asked === '1' ? { modelVersion: version, baseline: baseline('1', cases(500, 1)) } : undefined,
    clock: { now: () => 0 },
    pool,
    env: { SAS_TABLES_PREFIX: 'FW', SAS_TABLES_SCHEMA: 'sas' },
    models: async () => [],
    log: silentLogger,
  });
  const store = { verdicts: async () => [] };
  const api = monitorApi({ store, dashboard: nobody as never, routes: [route], token: TOKEN, log: silentLogger });
  server = createServer(api).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  await pool.end();
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await pool.query('drop schema if exists sas cascade');
  version = modelVersion('1');
});

const monitor = (token = TOKEN) => ({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token });
let files = 0;
function file(text: string): string {
  const path = join(folder, `train-${files++}.csv`);
  writeFileSync(path, text);
  return path;
}
const send = (text: string, options: Partial<Parameters<typeof sendBaseline>[2]> = {}) =>
  sendBaseline(file(text), monitor(), { ...SERIES, ...options });
const tableRows = async () => (await pool.query(`select * from sas."${NAME}"`)).rows;
const made = () => sasTables(pool, 'sas').made(MODEL);

const TRAIN = 'id;income;job;bad;p_event\n7;1500.25;Office;1;0.75\n8;.;"Sal;es";0;0.25\n9;lots;NA;;0.5\n';

test('training data becomes the first table, typed, once', async () => {
  const first = await send(TRAIN);
  expect(first).toMatchObject({ name: NAME, rows: 3, labelled: 2, unreadable: { income: 1 }, new: true });
  expect(baselineText(first)).toContain('income: 1 cells are no number');
  const rows = [
    { income: 1500.25, job: 'Office', bad: 1, p_event: 0.75 },
    { income: null, job: 'Sal;es', bad: 0, p_event: 0.25 },
    { income: null, job: null, bad: null, p_event: 0.5 },
  ];
  expect(await tableRows()).toEqual(rows);
  expect(await send(TRAIN)).toMatchObject({ name: NAME, rows: 3, new: false });
  await expect(send(`${TRAIN}10;1;Office;1;0.1\n`)).rejects.toThrow(
    /has a baseline of other data already.*nothing is replaced/,
  );
  expect(await tableRows()).toEqual(rows);
  expect(await made()).toMatchObject([
    { name: NAME, sequence: 1, period: 'Baseline', start: null, end: null, rows: 3, labelled: 2 },
  ]);
});

test('of two that send at once one makes it, and both are answered', async () => {
  const sent = await Promise.all([send(TRAIN), send(TRAIN), send(TRAIN)]);
  expect(sent.filter((one) => one.new)).toHaveLength(1);
  expect(await tableRows()).toHaveLength(3);
});

test.each<[string, string, RegExp]>([
  [
    'lacks outputs',
    'income,job,bad\n1,Office,1\n',
    /lacks score p_event; there are: income, job, bad\. SAS needs what the model gave too/,
  ],
  [
    'lacks a target and an input',
    'income,p_event\n1,0.5\n',
    /lacks input job, target bad; there are: income, p_event\.$/,
  ],
  ['names a column twice', 'income,job,bad,p_event,bad\n1,a,1,0.5,1\n', /more than one column "bad"/],
  ['has a short row', 'income,job,bad,p_event\n1,a,1,0.5\n1,a,1\n', /in line 3: it has 3 cells, the header 4/],
  ['has another target', 'income,job,bad,p_event\n1,a,yes,0.5\n', /"yes" as bad in line 2: it must be 1/],
  ['has no target', 'income,job,bad,p_event\n1,a,,0.5\n', /no row with a target/],
  ['has no rows', 'income,job,bad,p_event\n', /has no rows/],
  ['is empty', '', /has no rows/],
  ['has a zero byte', 'income,job,bad,p_event\n1,a\u0000b,1,0.5\n', /PostgreSQL does not take the training data/],
  [
    'is wrong after a million bytes',
    `income,job,bad,p_event\n${'1,Office,0,0.5\n'.repeat(100_000)}1,a,2,0.5\n`,
    /"2" as bad in line 100002/,
  ],
])('data that %s is refused in a sentence, and nothing of it stays', async (_, text, sentence) => {
  await expect(send(text)).rejects.toThrow(sentence);
  expect(await made()).toEqual([]);
  expect((await pool.query('select to_regclass($1) as is', [`sas."${NAME}"`])).rows).toEqual([{ is: null }]);
  // The connection that the COPY was ended on goes on.
  expect(await send(TRAIN)).toMatchObject({ new: true });
});

test('a version that is not known, another caller and another prefix are refused', async () => {
  await expect(send(TRAIN, { version: '2' })).rejects.toThrow('was never deployed');
  await expect(send(TRAIN, { prefix: 'A_B' })).rejects.toThrow('no underscore');
  await expect(sendBaseline(file(TRAIN), monitor('wrong'), SERIES)).rejects.toThrow('token of this service');
  await expect(sendBaseline(join(folder, 'none.csv'), monitor(), SERIES)).rejects.toThrow('There is no file');
  expect(await made()).toEqual([]);
  await send(TRAIN);
  await expect(send(TRAIN, { prefix: 'OTHER' })).rejects.toThrow('tables under another prefix');
});

test('a list from before keeps its tables, and says how to make room where a period has the first number', async () => {
  await pool.query(FIRST_LIST);
  const line = `insert into sas.fairway_catalog values ($1, $2, '1', $3, '2025Q1', '2025-01-01', '2025-04-01', $4, 40, 40)`;
  await pool.query(line, ['FWLOANSV1PROD_1_2025Q1', MODEL, 'prod', 1]);
  await pool.query(line, ['FWLOANSV1TEST_2_2025Q1', MODEL, 'test', 2]);
  await expect(send(TRAIN)).rejects.toThrow(
    /FWLOANSV1PROD_1_2025Q1 holds a period.*delete from fairway_catalog where model = 'loans'/,
  );
  expect(await send(TRAIN, { environment: 'test' })).toMatchObject({ name: 'FWLOANSV1TEST_1_Baseline', new: true });
  expect((await made()).map(({ name }) => name)).toEqual([
    'FWLOANSV1PROD_1_2025Q1',
    'FWLOANSV1TEST_1_Baseline',
    'FWLOANSV1TEST_2_2025Q1',
  ]);
  await pool.query("delete from sas.fairway_catalog where environment = 'prod'");
  expect(await send(TRAIN)).toMatchObject({ name: NAME, new: true });
});

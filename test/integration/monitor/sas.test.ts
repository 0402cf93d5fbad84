import type { Pool } from 'pg';
import { type Baseline, FairwayError, type ModelVersion, silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { sasColumns, tableName } from '../../../packages/monitor/src/app/sas-names.ts';
import { makeSasTables, type SasNeeds } from '../../../packages/monitor/src/app/sas-tables.ts';
import { parsePolicy } from '../../../packages/monitor/src/policy/parse.ts';
import { sasTables } from '../../../packages/monitor/src/store/sas-tables.ts';
import { judgeStore } from '../../../packages/monitor/src/store/judge-store.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { referenceStore } from '../../../packages/monitor/src/store/reference-store.ts';
import { windowStarts } from '../../../packages/monitor/src/store/window-starts.ts';
import { empty, type Monitoring, startMonitoring } from './database.ts';
import { baseline, cases, modelVersion, MODEL, pack, packsOf } from './support.ts';

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: ${MODEL}
period: { every: quarter, coverageFloor: 0.8, labelDelay: P10D }
minimum: { rows: 10, events: 1, rowsPerBin: 10 }
rules:
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, severity: warning }
notify: { on: [alert] }
`;
const QUARTERS = ['2025-01-01', '2025-04-01', '2025-07-01', '2025-10-01'].map((day) => `${day}T00:00:00.000Z`);
/** A name that ends any statement it is pasted into. */
const HOSTILE = `in"come'); drop schema monitoring cascade; --`;

let database: Monitoring;
let pool: Pool;
let now: number;
let version: ModelVersion;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(() => database.stop());
beforeEach(async () => {
  await pool.query('drop schema if exists sas cascade');
  await empty(pool);
  now = Date.parse('2026-01-01T00:00:00.000Z');
  version = modelVersion('1');
});

const reference = () => ({ modelVersion: version, baseline: baseline('1', cases(500, 1)) });

const needs = (): SasNeeds => ({
  store: sasTables(pool, 'sas'),
  starts: windowStarts(pool),
  counts: (window) => judgeStore(pool).counts(window),
  policy: async () => ({ blob: 'b10b', text: POLICY, problem: null, remark: null }),
  parsePolicy,
  references: async () => reference(),
  clock: { now: () => now },
});
const make = (prefix = 'FW') => makeSasTables(needs(), MODEL, prefix);

const record = (one: Parameters<typeof recordPack>[1]) =>
  recordPack({ store: packStore(pool), references: async () => reference(), log: silentLogger }, one);

const rowsOf = (quarter: number) => cases(40, 50 + quarter);
async function play(quarter: number): Promise<void> {
  const period = { start: QUARTERS[quarter] ?? '', end: QUARTERS[quarter + 1] ?? '' };
  for (const each of packsOf(rowsOf(quarter), period, `s${quarter}`)) await record(each);
}
const label = (quarter: number, share = 1) =>
  addLabels(
    labelStore(pool),
    rowsOf(quarter)
      .slice(0, 40 * share)
      .map((row, index) => ({ id: `s${quarter}-${index}-0`, label: row.label })),
    [],
  );

test('a table per closed, labelled period, typed, in the order of time, with the declared names', async () => {
  await Promise.all([play(0), play(1)]);
  await label(0);
  expect(await make()).toEqual(['FWLOANSV1PROD_2_2025Q1']);
  const { rows } = await pool.query('select * from sas."FWLOANSV1PROD_2_2025Q1"');
  expect(rows).toEqual(rowsOf(0).map(({ income, job, score, label: bad }) => ({ income, job, bad, p_event: score })));
  const { rows: types } = await pool.query(
    "select column_name, data_type from information_schema.columns where table_schema = 'sas' and table_name like 'FW%' order by ordinal_position",
  );
  expect(types.map(Object.values)).toEqual([
    ['income', 'double precision'],
    ['job', 'character varying'],
    ['bad', 'double precision'],
    ['p_event', 'double precision'],
  ]);
  // The second period waits for its labels; a table is made once, whatever is corrected later.
  expect(await make()).toEqual([]);
  await label(1, 0.9);
  expect(await make()).toEqual(['FWLOANSV1PROD_3_2025Q2']);
  await addLabels(labelStore(pool), [{ id: 's0-0-0', label: rowsOf(0)[0]?.label === 1 ? 0 : 1 }], []);
  await label(1);
  expect(await make()).toEqual([]);
  const made = await needs().store.made(MODEL);
  expect(made.map(({ name, sequence, rows: all, labelled }) => [name, sequence, all, labelled])).toEqual([
    ['FWLOANSV1PROD_2_2025Q1', 2, 40, 40],
    ['FWLOANSV1PROD_3_2025Q2', 3, 40, 36],
  ]);
  expect((await pool.query('select * from sas."FWLOANSV1PROD_2_2025Q1"')).rows).toEqual(rows);
});

test('no period is closed before the label delay is over, and one that is labelled late keeps its place', async () => {
  for (const quarter of [0, 1, 2]) await play(quarter);
  for (const quarter of [0, 2]) await label(quarter);
  now = Date.parse('2025-10-10T23:59:59.000Z');
  expect(await make()).toEqual(['FWLOANSV1PROD_2_2025Q1']);
  now = Date.parse('2025-10-11T00:00:00.000Z');
  expect(await make()).toEqual(['FWLOANSV1PROD_4_2025Q3']);
  await label(1);
  expect(await make()).toEqual(['FWLOANSV1PROD_3_2025Q2']);
});

test('two monitors make one table', async () => {
  await play(0);
  await label(0);
  const made = await Promise.all([make(), make(), make()]);
  expect(made.flat()).toEqual(['FWLOANSV1PROD_2_2025Q1']);
});

test('hostile names are names, text that is no number is missing, and another event is written out', async () => {
  version = {
    ...version,
    variables: [
      { name: HOSTILE, type: 'decimal', role: 'input' },
      { name: 'job', type: 'string', role: 'input' },
      { name: 'p_event', type: 'decimal', role: 'output' },
      { name: 'EM_CLASS', type: 'string', role: 'output' },
    ],
    target: { variable: `b"ad`, event: `Y'es`, probability: 'p_event', classification: 'EM_CLASS' },
  };
  const values = ['"1e400"', '"1e-999"', '" 5.5 "', '"."', '"0x10"', '7', '1.5e3', 'null', '"-.5"', '"NaN"', 'true'];
  const exchanges = values.map((value, index) => {
    const request = `{"instances": [{${JSON.stringify(HOSTILE)}: ${value}, "job": "x'; drop"}]}`;
    const response = `{"predictions": [{"p_event": 0.25, "EM_CLASS": "No"}]}`;
    const head = {
      ...packHead(index),
      time: `2025-01-0${1 + Math.floor(index / 9)}T0${index % 9}:00:00.000Z`,
      requestLength: request.length,
      responseLength: response.length,
    };
    return { head, request: Buffer.from(request), response: Buffer.from(response) };
  });
  await record(pack(exchanges, 0, 'h'));
  await addLabels(
    labelStore(pool),
    values.map((_, index) => ({ id: `h-${index}-0`, label: index === 0 ? 1 : 0 }) as const),
    [],
  );
  const [name = ''] = await make();
  const { rows } = await pool.query<Record<string, unknown>>(`select * from sas."${name}"`);
  expect(rows.map((row) => row[HOSTILE])).toEqual([null, null, 5.5, null, null, 7, 1500, null, -0.5, null, 1]);
  expect(rows[0]).toEqual({ [HOSTILE]: null, job: "x'; drop", 'b"ad': "Y'es", p_event: 0.25, EM_CLASS: 'No' });
  expect(rows[1]).toMatchObject({ 'b"ad': "NOT_Y'es" });
});

const packHead = (index: number) => ({
  v: 1 as const,
  id: `h-${index}`,
  seq: index,
  model: MODEL,
  version: '1',
  versionSource: 'status' as const,
  environment: 'prod',
  method: 'POST',
  target: `/v1/models/${MODEL}:predict`,
  status: 200,
  latencyMs: 1,
  outcome: 'complete' as const,
});

test('a target that is a number stands as it is; a model of several classes has no table', async () => {
  version = { ...version, target: { variable: 'price', level: 'interval', event: '', probability: 'p_event' } };
  await referenceStore(pool).keepReference(reference());
  await play(0);
  const prices = rowsOf(0).map((_, index) => (index - 20) * 12.25);
  await addLabels(
    labelStore(pool),
    prices.map((price, index) => ({ id: `s0-${index}-0`, label: price })),
    [],
  );
  const classified = { ...reference(), baseline: { ...reference().baseline, classification: CLASSES } };
  expect(await makeSasTables({ ...needs(), references: async () => classified }, MODEL, 'FW')).toEqual([]);
  expect(await make()).toEqual(['FWLOANSV1PROD_2_2025Q1']);
  const { rows } = await pool.query('select price, p_event from sas."FWLOANSV1PROD_2_2025Q1"');
  expect(rows).toEqual(rowsOf(0).map(({ score }, index) => ({ price: prices[index], p_event: score })));
});

const CLASSES = { classes: ['a', 'b', 'c'] } as unknown as NonNullable<Baseline['classification']>;

test('nothing is replaced, cut or confused', async () => {
  await play(0);
  await label(0);
  await pool.query('create schema sas; create table sas."FWLOANSV1PROD_2_2025Q1" (kept integer)');
  await expect(make()).rejects.toThrow('Nothing is replaced');
  expect((await pool.query('select kept from sas."FWLOANSV1PROD_2_2025Q1"')).rowCount).toBe(0);
  expect(() => tableName('P'.repeat(60), 1, '2025Q1')).toThrow(/has 69 bytes, and PostgreSQL keeps 63/);
  const twice = [...version.variables, { name: 'BAD', type: 'decimal', role: 'input' } as const];
  expect(() => sasColumns({ ...version, variables: twice })).toThrow('to SAS one column');
  const long = [...version.variables, { name: 'ü'.repeat(32), type: 'decimal', role: 'input' } as const];
  expect(() => sasColumns({ ...version, variables: long })).toThrow(FairwayError);
});

import { gzipSync } from 'node:zlib';
import { silentLogger, timedId } from '@fairway/core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { baseline, cases, type Child, exchange, modelVersion, pack, startProcess, until } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const TOKEN = 'labels-test-token-of-the-recorder';
const START = Date.parse('2025-01-01T00:00:00.000Z');
const idOf = (index: number) => timedId(START + index * 1000, `${String(index).padStart(6, '0')}${'cd'.repeat(10)}`);

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
let recorder: Child;

beforeAll(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
  recorder = await startProcess('recorder-main.ts', {
    DATABASE_URL: database.url,
    QUEUE_URL: database.url,
    QUEUE_PREFIX: 'labels_test',
    WRITER_URL: 'http://127.0.0.1:1',
    WRITER_TOKEN: 'none',
    MONITOR_TOKEN: TOKEN,
  });
});
afterAll(async () => {
  await recorder.stop();
  await pool.end();
  await database.stop();
});
beforeEach(async () => {
  await pool.query('truncate monitoring.packs cascade');
  await pool.query(
    'truncate monitoring.pack_frames, monitoring.exchange_rows, monitoring.prediction_rows, monitoring.prediction_labels, monitoring.early_labels',
  );
});

async function predictions(count: number): Promise<void> {
  const needs = { store: packStore(pool), references: async () => reference, log: silentLogger };
  const rows = cases(count, 3);
  const shots = rows.map((row, index) =>
    exchange({ id: idOf(index), rows: [row], time: new Date(START + index * 1000).toISOString() }, index + 1),
  );
  for (let at = 0; at < count; at += 1000) await recordPack(needs, pack(shots.slice(at, at + 1000), at + 1));
}

async function post(body: string | Buffer | ReadableStream, headers: Record<string, string>, query = '') {
  const answer = await fetch(`${recorder.url}/v1/labels${query}`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    ...(body instanceof ReadableStream ? { duplex: 'half' as const } : {}),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const csv = { 'content-type': 'text/csv; charset=utf-8' };

test('a CSV of any size is booked batch by batch, in pieces cut anywhere', async () => {
  await predictions(12_000);
  const lines = Array.from(
    { length: 12_000 },
    (_, index) => `"${idOf(index)}-0";${index % 3 === 0 ? 1 : 0};2025-03-01`,
  );
  const text = [
    '\uFEFFID;Label;note',
    ...lines.slice(0, 11_998),
    'nobody-ü;1;"of, several\nlines"',
    '"";1;x',
    `${idOf(11_998)}-0;maybe;x`,
  ].join('\r\n');
  const bytes = Buffer.from(text);
  const pieces = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 4099) controller.enqueue(bytes.subarray(at, at + 4099));
      controller.close();
    },
  });
  expect(await post(pieces, csv)).toEqual({
    status: 200,
    body: {
      joined: 11_998,
      early: 1,
      unchanged: 0,
      corrected: 0,
      refused: [
        { id: 'line 12002', reason: 'give id or correlationId, one of them' },
        { id: `${idOf(11_998)}-0`, reason: 'label must be 0 or 1' },
      ],
      refusedTotal: 2,
    },
  });
  const { rows } = await pool.query('select label, count(*)::int from monitoring.predictions group by 1 order by 1');
  expect(rows).toEqual([
    { label: -1, count: 2 },
    { label: 0, count: 7998 },
    { label: 1, count: 4000 },
  ]);
});

test('compressed NDJSON by exchange id and correlation id; the source of a correction is kept', async () => {
  await predictions(2);
  const body = (label: number) => gzipSync(`{"id":"${idOf(0)}","label":${label}}\n{"correlationId":"c","label":0}\n`);
  const headers = { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' };
  expect((await post(body(0), headers)).body).toMatchObject({ joined: 1, early: 1 });
  const again = await post(body(1), { ...headers, 'x-fairway-source': 'collections' });
  expect(again.body).toMatchObject({ corrected: 1, unchanged: 1 });
  const { rows } = await pool.query('select key, source from monitoring.label_history order by number');
  expect(rows).toEqual([{ key: `${idOf(0)}-0`, source: 'collections' }]);
});

test('refusals come in the order of the body, whoever refused', async () => {
  await predictions(1);
  const lines = [
    { id: 'nobody', label: 7 },
    { label: 1 },
    { id: `${idOf(0)}-0`, label: 7 },
    { id: '', label: 0 },
    { id: `${idOf(0)}-0`, label: 1 },
    { id: 'nul\0', label: 1 },
    { correlationId: 'c', label: 'a\0' },
    { correlationId: 'c', label: 1, observedAt: '0000-01-01T00:00:00Z' },
  ];
  const { body } = await post(lines.map((line) => JSON.stringify(line)).join('\n'), {
    'content-type': 'application/x-ndjson',
  });
  expect(body).toMatchObject({ joined: 1, refusedTotal: 7 });
  expect((body as { refused: unknown[] }).refused).toEqual([
    { id: 'nobody', reason: 'label must be 0 or 1' },
    { id: 'line 2', reason: 'give id or correlationId, one of them' },
    { id: `${idOf(0)}-0`, reason: 'label must be 0 or 1' },
    { id: 'line 4', reason: 'id must not be empty' },
    { id: 'nul\0', reason: 'id must not hold the character NUL' },
    { id: 'c', reason: 'label must not hold the character NUL' },
    { id: 'c', reason: 'observedAt must not lie in the year 0' },
  ]);
});

test('a body that cannot be labels is refused as a whole, with the mend', async () => {
  const whole = gzipSync('id,label\n');
  const cases: Array<[string | Buffer, Record<string, string>, string, RegExp]> = [
    ['name,value\n1,2\n', csv, '', /The header "name, value" cannot be used: name id or correlationId/],
    ['id,label\n"open,1\n', csv, '', /opens a quote that is never closed/],
    ['id,label\n', csv, '?delimiter=x', /must be a comma, a semicolon, a bar or "tab"/],
    ['id,label\n', { 'content-type': 'text/plain' }, '', /Send labels as application\/json/],
    ['id,label\n', { ...csv, 'content-encoding': 'br' }, '', /Content-Encoding: gzip/],
    ['id,label\n', { ...csv, 'content-encoding': 'gzip' }, '', /^The body is no gzip, or not all of one \(/],
    [whole.subarray(0, -9), { ...csv, 'content-encoding': 'gzip' }, '', /^The body is no gzip, or not all of one \(/],
    [
      '{}',
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      '',
      /^The request body cannot be read: .*header/,
    ],
  ];
  for (const [body, headers, query, detail] of cases) {
    expect(await post(body, headers, query)).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(detail) },
    });
  }
});

test('the account is told over HTTP and in the metrics', async () => {
  await predictions(30);
  const ask = async (query: string) => {
    const answer = await fetch(`${recorder.url}/v1/account/epochs${query}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  expect((await ask('?since=2025-01-01T00:00:00Z&model=loans')).body).toMatchObject({
    since: '2025-01-01T00:00:00.000Z',
    epochs: [{ model: 'loans', agent: 'agent-1', captured: 30, recorded: 30, predictions: 30, unexplained: 0 }],
    gaps: [],
    labels: { waiting: 0 },
  });
  for (const query of ['?since=yesterday', '?since=0000-01-01T00:00:00Z', '?model=%00'])
    expect([query, (await ask(query)).status]).toEqual([query, 400]);
  await until('the account in the metrics', 90, async () => {
    const text = await (await fetch(`${recorder.url}/metrics`)).text();
    return text.includes('fairway_account_exchanges{part="recorded"} 30') ? true : undefined;
  });
});

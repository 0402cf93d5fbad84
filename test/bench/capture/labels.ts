import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { dataPlace } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { startPostgresServer } from '../../../packages/cli/src/stack/postgres/server.ts';
import { silentLogger, systemClock } from '../../../packages/core/src/index.ts';
import { dayTables } from '../../../packages/monitor/src/store/day-tables.ts';
import { freePort } from '../../harness/ports.ts';
import { type Child, startProcess } from '../../integration/monitor/support.ts';
import { atLeast, type Result } from '../result.ts';

const ROWS = 10_000_000;
const DAYS = 30;
const START = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
/** None of the days may be too far off for a partition of its own. */
const DAYS_BACK = 400;
const LABELS = 100_000;
const BAR = 10_000;
const TOKEN = 'bench-token-of-the-recorder';

/** About 250 bytes of values and names, as a small credit model has them. */
const INPUTS =
  '{"LOAN":1100,"MORTDUE":25860,"VALUE":39025,"YOJ":10.5,"DEROG":0,"DELINQ":0,"CLAGE":94.36,"NINQ":1,"CLNO":9,"DEBTINC":33.7,"REASON":"HomeImp","JOB":"Other"}';

/**
 * What it costs to join labels while predictions are stored in their millions: through the real recorder, into its own
 * schema, 30 days a partition each. Needs about 6 GB in the temporary folder for about four minutes.
 */
export async function labelNumbers(rows = ROWS): Promise<Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-labels-'));
  const stops: Array<() => unknown> = [() => rmSync(dir, { recursive: true, force: true })];
  try {
    const dataDir = join(dir, 'data');
    stops.push(() => rmSync(dataPlace(dataDir), { recursive: true, force: true }));
    const server = await startPostgresServer({ dataDir, port: await freePort(), password: 'bench' });
    stops.push(() => server.stop());
    const recorder = await startProcess('recorder-main.ts', {
      DATABASE_URL: server.url,
      QUEUE_URL: server.url,
      QUEUE_PREFIX: 'bench',
      WRITER_URL: 'http://127.0.0.1:1',
      WRITER_TOKEN: 'bench',
      MONITOR_TOKEN: TOKEN,
    });
    stops.push(() => recorder.stop());
    await fill(server.url, rows);
    return await measured(recorder, rows);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** Predictions as the recorder would have stored them, with ids that name their moment, and their counts. */
async function fill(url: string, rows: number): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 2 });
  try {
    await pool.query('alter system set max_wal_size = 8192');
    await pool.query('alter system set synchronous_commit = off');
    await pool.query('select pg_reload_conf()');
    const { rows: streams } = await pool.query<{ id: string }>(
      `insert into monitoring.streams select monitoring.stream_id('bench', '1', 'status', 'prod'), 'bench', '1', 'status', 'prod' returning id`,
    );
    const stream = streams[0]?.id ?? '';
    const days = Array.from({ length: DAYS }, (_, day) => day);
    const next = async (): Promise<void> => {
      const day = days.shift();
      if (day === undefined) return;
      await fillDay(pool, day, Math.floor(rows / DAYS), stream);
      await next();
    };
    await Promise.all([next(), next()]);
    await pool.query('alter system reset all');
    await pool.query('select pg_reload_conf()');
    await pool.query('analyze monitoring.score_counts');
    await pool.query('checkpoint');
  } finally {
    await pool.end();
  }
}

const dayText = (day: number) => new Date(START + day * DAY_MS).toISOString().slice(0, 10);

async function fillDay(pool: Pool, day: number, rows: number, stream: string): Promise<void> {
  const from = dayText(day);
  await dayTables(pool, systemClock, DAYS_BACK, silentLogger).ensure([from]);
  const table = `monitoring.prediction_rows_${from.replaceAll('-', '')}`;
  await pool.query(
    `insert into ${table} (day, id, stream, time, score, inputs, outputs, latency_ms, status, pack, position, correlation_id)
    select date '${from}', lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15) || '-0', $4,
      to_timestamp(ms / 1000.0), score, '${INPUTS}', ('{"P_BAD1":' || score::text || '}')::json, 1.5, 200, 1 + number / 500,
      number % 500, md5('c' || number)
    from (
      select number, ms, hash, round(power(('x' || substr(hash, 20, 8))::bit(32)::bigint / 4294967296.0, 2), 6)::float8 as score
      from (
        select $1::bigint + i as number, $2::bigint + i * ${DAY_MS}::bigint / $3::bigint as ms, md5(($1::bigint + i)::text) as hash
        from generate_series(0, $3::bigint - 1) as i
      ) numbered
    ) identified`,
    [day * rows, START + day * DAY_MS, rows, stream],
  );
  await pool.query(`vacuum analyze ${table}`);
  await pool.query(`insert into monitoring.score_counts (model, version, environment, hour, bin, label, count)
    select 'bench', '1', 'prod', hour, bin, -1, count(*)
    from (select date_trunc('hour', time) as hour, floor(score * 10000)::int as bin from ${table}) scored
    group by hour, bin order by hour, bin`);
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** The prediction id that {@link fillDay} gave to row `index` of a day. */
function predictionId(day: number, index: number, rows: number): string {
  const ms = START + day * DAY_MS + Math.floor((index * DAY_MS) / rows);
  const hash = md5(String(day * rows + index));
  return `${ms.toString(16).padStart(12, '0')}7${hash.slice(0, 3)}8${hash.slice(3, 18)}-0`;
}

/** Rows of all days but the last, in no order, none twice: steps by a number without a common factor with the rows. */
function* scattered(rows: number, count: number, from: number): Generator<readonly [day: number, index: number]> {
  const each = Math.floor(rows / DAYS);
  const all = each * (DAYS - 1);
  for (let i = 0; i < count; i++) {
    const at = ((from + i) * 7_368_787) % all;
    yield [Math.floor(at / each), at % each];
  }
}

async function measured(recorder: Child, rows: number): Promise<Result[]> {
  const each = Math.floor(rows / DAYS);
  const label = (i: number) => (i % 5 === 0 ? 1 : 0);
  const count = Math.min(LABELS, Math.floor(each / 2));
  const byId = [...scattered(rows, count, 1)].map(
    ([day, index], i) => `{"id":"${predictionId(day, index, each)}","label":${label(i)}}`,
  );
  const ofOneDay = Array.from({ length: count }, (_, i) => `${predictionId(DAYS - 1, i * 2, each)};${label(i)}`);
  const byCaller = [...scattered(rows, count, count + 1)].map(
    ([day, index], i) => `${md5(`c${day * each + index}`)},${label(i)}`,
  );
  const stored = `${each * DAYS} predictions in ${DAYS} days`;
  const result = async (id: string, type: string, body: string, note: string) =>
    atLeast(id, await send(recorder, type, body, count), 'labels/s', BAR, `${count} labels ${note}; ${stored}`);
  return [
    await result('label-join', 'application/x-ndjson', byId.join('\n'), 'by prediction id, scattered over 29 days'),
    await result('label-join-day', 'text/csv', ['id;label', ...ofOneDay].join('\n'), 'by prediction id, of one day'),
    await result(
      'label-join-correlation',
      'text/csv',
      ['correlationId,label', ...byCaller].join('\n'),
      'by correlation id, scattered over 29 days',
    ),
  ];
}

/** Labels per second, from the first byte sent to the summary. What they move is appended to the counts, and added up later. */
async function send(recorder: Child, type: string, body: string, count: number): Promise<number> {
  const began = performance.now();
  const answer = await fetch(`${recorder.url}/v1/labels`, {
    method: 'POST',
    body,
    headers: { 'content-type': type, authorization: `Bearer ${TOKEN}` },
  });
  const summary = (await answer.json()) as { joined: number; unchanged: number };
  const seconds = (performance.now() - began) / 1000;
  if (summary.joined + summary.unchanged !== count || summary.unchanged > count / 100) {
    throw new Error(`of ${count} labels these were booked: ${JSON.stringify(summary).slice(0, 500)}`);
  }
  return Math.round(count / seconds);
}

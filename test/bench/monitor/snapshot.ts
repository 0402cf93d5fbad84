import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelVersion } from '@fairway/core';
import { Pool } from 'pg';
import { dataPlace } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { startPostgresServer } from '../../../packages/cli/src/stack/postgres/server.ts';
import { snapshotQuery } from '../../../packages/monitor/src/snapshot/query.ts';
import { readSnapshot } from '../../../packages/monitor/src/store/database.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { ROOT } from '../../guards/source.ts';
import { freePort } from '../../harness/ports.ts';
import { atMost, median, type Result } from '../result.ts';

const ROWS = 1_000_000;
const NUMBERS = ['LOAN', 'MORTDUE', 'VALUE', 'YOJ', 'DEROG', 'DELINQ', 'CLAGE', 'NINQ', 'CLNO', 'DEBTINC'];
const TEXTS = ['REASON', 'JOB'];
const BOUNDS = {
  model: 'm',
  version: '1',
  environment: 'prod',
  start: '2026-07-01T00:00:00Z',
  end: '2027-07-01T00:00:00Z',
};
const VERSION = {
  variables: [...NUMBERS, ...TEXTS].map((name) => ({ name, type: 'decimal', role: 'input' })),
  target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
} as unknown as ModelVersion;

/** A row every 20 s: missing numbers and texts among 12 inputs, as the recorder writes them. */
const SEED = `
insert into monitoring.streams select monitoring.stream_id('m', '1', 'url', 'prod'), 'm', '1', 'url', 'prod';
insert into monitoring.prediction_rows (day, id, stream, time, score, inputs, outputs, latency_ms, status, pack)
select (timestamp '2026-07-01' + n * interval '20 s')::date, lpad(to_hex(n::bigint * 7919 % 1000003), 32, '0') || '-0',
  monitoring.stream_id('m', '1', 'url', 'prod'), timestamptz '2026-07-01Z' + n * interval '20 s', (n % 9973) / 9973.0,
  json_build_object('REASON', case n % 3 when 0 then 'HomeImp' else 'DebtCon' end, 'JOB', case n % 4 when 0 then null else 'Office' end,
    ${NUMBERS.map((name, k) => `'${name}', case when n % ${k + 5} = 0 then null else (n::bigint * ${k + 37} % ${(k + 3) * 10_007}) / 4.0 end`).join(', ')}),
  '{"P_BAD1":0.5}', 3.5, 200, n / 500
from generate_series(1, ${ROWS}) as n;
insert into monitoring.prediction_labels (day, id, label, observed_at)
select day, id, (row_number() over (order by time) % 5 = 0)::int, timestamptz '2026-11-01Z' from monitoring.prediction_rows`;

type Once = { readonly ms: number; readonly rows: number; readonly sha256: string; readonly mb: number };

/** What a snapshot of a million rows costs, beside PostgreSQL's own COPY of the same rows through gzip -1. */
export async function snapshot(): Promise<Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  // The server runs as another user when the benchmark runs as root.
  chmodSync(dir, 0o777);
  const dataDir = join(dir, 'data');
  const server = await startPostgresServer({ dataDir, port: await freePort(), password: 'bench-password' });
  const pool = new Pool({ connectionString: server.url });
  try {
    await migrate(pool);
    await pool.query(SEED);
    await pool.query('vacuum analyze monitoring.prediction_rows, monitoring.prediction_labels');
    const [plain, ours]: [number[], Once[]] = [[], []];
    for (let round = 0; round < 3; round++) {
      plain.push(await plainCopy(pool, join(dataPlace(dataDir), 'plain.csv.gz')));
      ours.push(take(server.url, dir));
    }
    return results(plain, ours);
  } finally {
    await pool.end();
    await server.stop();
    rmSync(dataPlace(dataDir), { recursive: true, force: true });
    rmSync(dir, { recursive: true, force: true });
  }
}

/** With the settings that the snapshot's own transaction has. */
async function plainCopy(pool: Pool, file: string): Promise<number> {
  const query = snapshotQuery(BOUNDS, VERSION);
  const began = performance.now();
  await readSnapshot(pool)(async (client) => {
    await client.query("set local work_mem = '64MB'");
    await client.query(`copy (${query}) to program 'gzip -1 > ${file}' with (format csv, header true)`);
  });
  return performance.now() - began;
}

function take(url: string, dir: string): Once {
  const script = join(ROOT, 'test', 'bench', 'monitor', 'snapshot-once.ts');
  const given = [url, dir, JSON.stringify(BOUNDS), JSON.stringify(VERSION)];
  const args = ['--conditions=source', '--import', 'tsx', script, ...given];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', cwd: ROOT })) as Once;
}

function results(plain: readonly number[], ours: readonly Once[]): Result[] {
  const same = new Set(ours.map(({ sha256 }) => sha256)).size === 1 && ours.every(({ rows }) => rows === ROWS);
  if (!same) throw new Error('the same rows did not give the same snapshot');
  const [copy, own] = [median(plain), median(ours.map(({ ms }) => ms))];
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const note = `${seconds(own)}, COPY of the same rows to gzip -1 ${seconds(copy)}; median of ${ours.length}, taken in turn`;
  return [
    atMost('snapshot-1m-rows', Number((own / copy).toFixed(2)), 'x', 1.5, note),
    atMost(
      'snapshot-1m-rows-rss',
      Math.max(...ours.map(({ mb }) => mb)),
      'MB',
      150,
      'peak of the process, tsx included',
    ),
  ];
}

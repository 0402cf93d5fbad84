import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pool } from 'pg';
import { silentLogger } from '@fairway/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { type FakeWriter, startFakeWriter } from '../../harness/fake-writer.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { spoil } from './counts.ts';
import { baseline, cases, type Child, modelVersion, MODEL, packsOf, startProcess, until } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const PERIOD = { start: '2026-01-01T00:00:00.000Z', end: '2026-01-01T06:00:00.000Z' };
const TOKEN = 'monitor-test-token';
const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: ${MODEL}
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 100, events: 20, rowsPerBin: 10 }
rules:
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, severity: warning }
notify: { on: [alert] }
`;

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
let writer: FakeWriter;
let snapshots: string;
let children: Child[] = [];
let cli: readonly string[];

beforeAll(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
  await migrate(pool);
  writer = await startFakeWriter();
  writer.state.references.set(`${MODEL}/1`, reference);
  writer.state.policies.set(MODEL, { blob: 'b10b', text: POLICY });
  snapshots = mkdtempSync(join(tmpdir(), 'fairway-snapshots-'));
  const common = {
    DATABASE_URL: database.url,
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
    MONITOR_TOKEN: TOKEN,
  };
  children = await Promise.all([
    startProcess('main.ts', { ...common, SNAPSHOT_DIR: snapshots, SETTLE_MS: '200' }),
    startProcess('recorder-main.ts', { ...common, QUEUE_URL: database.url, QUEUE_PREFIX: 'cli' }),
  ]);
  cli = await runnable(fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url)));
});
afterAll(async () => {
  for (const child of children) await child.kill();
  await Promise.all([writer.stop(), pool.end()]);
  await database.stop();
  rmSync(snapshots, { recursive: true, force: true });
});

type Ran = { readonly code: number; readonly out: string };
const fairway = (...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const [monitor, recorder] = children;
    const env = {
      PATH: process.env['PATH'],
      FAIRWAY_WRITER_URL: writer.url,
      FAIRWAY_WRITER_TOKEN: writer.token,
      FAIRWAY_MONITOR_URL: monitor?.url,
      FAIRWAY_RECORDER_URL: recorder?.url,
      FAIRWAY_MONITOR_TOKEN: TOKEN,
    };
    execFile(process.execPath, [...cli, ...args, '--model', MODEL], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: `${stdout}${stderr}` }),
    );
  });

test('fairway windows, profiles rebuild and sas tables speak with the services', async () => {
  const rows = cases(300, 61);
  const needs = { store: packStore(pool), references: async () => reference, log: silentLogger };
  for (const each of packsOf(rows, PERIOD, 'cli')) await recordPack(needs, each);
  await addLabels(
    labelStore(pool),
    rows.map((row, index) => ({ id: `cli-${index}-0`, label: row.label })),
    [],
  );
  const windows = await until('a verdict in fairway windows', 120, async () => {
    const ran = await fairway('windows');
    return ran.out.includes('healthy') ? ran : undefined;
  });
  expect(windows.code).toBe(0);
  expect(windows.out).toMatch(/2026Q1 +1 +prod +healthy +300 +100\.0%/);
  const {
    windows: [json],
  } = JSON.parse((await fairway('windows', '--json')).out) as { windows: object[] };
  expect(json).toMatchObject({ name: '2026Q1', rows: 300, labelled: 300, verdict: 'healthy', findings: [] });

  expect(await fairway('profiles', 'rebuild', '--verify')).toMatchObject({
    code: 0,
    out: expect.stringContaining('every count is what the rows give'),
  });
  await spoil(pool, 'profile', '1', "variable = 'income' and bin = 3");
  const verified = await fairway('profiles', 'rebuild', '--verify');
  expect(verified.code).toBe(1);
  expect(verified.out).toMatch(/prod +income +3 +\d+ +\d+/);
  expect((await fairway('profiles', 'rebuild')).out).toContain('counts mended');
  expect((await fairway('profiles', 'rebuild', '--verify')).code).toBe(0);
  expect((await fairway('profiles', 'rebuild', '--from', 'soon')).out).toContain('from must be a day');

  const made = await fairway('sas', 'tables', '--prefix', 'FW');
  expect(made.out).toMatch(/FWLOANSV1PROD_2_2026Q1 +prod +1 +300 +300 +new/);
  expect((await fairway('sas', 'tables')).out).toContain('SAS_TABLES_PREFIX');
  expect((await fairway('sas', 'tables', '--prefix', 'A_B')).out).toContain('no underscore');

  // Where all rows of an hour are gone nothing can be compared: that is no proof that its counts are right.
  await pool.query("delete from monitoring.prediction_rows where time < '2026-01-01 01:00Z'");
  expect(await fairway('profiles', 'rebuild', '--verify')).toMatchObject({
    code: 1,
    out: expect.stringMatching(/is kept: its rows are gone[^]*1 hour could not be compared/),
  });
}, 300_000);

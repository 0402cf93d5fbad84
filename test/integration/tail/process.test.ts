import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pool } from 'pg';
import { afterEach, expect, test } from 'vitest';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { freePort } from '../../harness/ports.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { baseline, cases, MODEL, modelVersion, startProcess } from '../monitor/support.ts';
import { csvRow, HEADER, range } from './world.ts';

const MAIN = fileURLToPath(new URL('../../../packages/log-sidecar/src/main.ts', import.meta.url));
const TOKEN = 'monitor-test-token';

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startTail(
  env: Record<string, string>,
): Promise<{ child: ChildProcess; read(path: string): Promise<string> }> {
  const port = await freePort();
  const child = spawn(process.execPath, [...(await runnable(MAIN)), 'tail'], {
    env: { PATH: process.env.PATH, LISTEN_HOST: '127.0.0.1', ADMIN_PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  cleanups.push(() => {
    child.kill('SIGKILL');
    return ended;
  });
  return { child, read: async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text() };
}

/** Polls until the rows are there; answers what was found last. */
async function stored(pool: Pool, wanted: number): Promise<{ rows: number; distinct: number; labelled: number }> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const { rows } = await pool.query(`select count(*)::int as rows, count(distinct inputs->>'income')::int as distinct,
      (count(*) filter (where label >= 0))::int as labelled from monitoring.predictions`);
    if (rows[0].rows >= wanted || performance.now() > deadline) return rows[0];
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('the process is killed between packs, started again, stopped: every row is in the table once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-tail-'));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  const database = await startPostgres();
  cleanups.push(database.stop);
  const writer = await startFakeWriter();
  cleanups.push(writer.stop);
  writer.state.references.set(`${MODEL}/1`, {
    modelVersion: modelVersion('1'),
    baseline: baseline('1', cases(500, 1)),
  });
  const queue = { QUEUE_URL: database.url, QUEUE_PREFIX: 'tailed' };
  const recorder = await startProcess('recorder-main.ts', {
    DATABASE_URL: database.url,
    ...queue,
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
    MONITOR_TOKEN: TOKEN,
  });
  cleanups.push(recorder.stop);
  const pool = openTestPool(database.url);
  cleanups.push(() => pool.end());

  writeFileSync(join(dir, 'modelversion.json'), JSON.stringify(modelVersion('1')));
  const env = {
    ...queue,
    FAIRWAY_MODEL: MODEL,
    FAIRWAY_ENVIRONMENT: 'prod',
    TAIL_FILES: join(dir, 'scores*.csv*'),
    TAIL_STATE_DIR: join(dir, 'state'),
    TAIL_MODEL_VERSIONS: join(dir, 'modelversion.json'),
    TAIL_TIME: 'time',
    TAIL_SCORE: 'score',
    TAIL_LABEL: 'bad',
    TAIL_RECORDER_URL: recorder.url,
    TAIL_RECORDER_TOKEN: TOKEN,
    TAIL_VERSION: '1',
    TAIL_POLL_MS: '100',
  };
  const file = join(dir, 'scores.csv');
  const row = (n: number) => csvRow(n).replace('\r\n', `,${n % 2}\r\n`);
  const header = HEADER.replace('\n', ',bad\n');
  writeFileSync(file, header + range(0, 3000).map(row).join(''));
  const first = await startTail(env);
  await stored(pool, 1);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  renameSync(file, `${file}.1`);
  writeFileSync(file, `${header}${range(3000, 3100).map(row).join('')}no row\n`);
  writeFileSync(join(dir, 'scores-bad.csv'), 'time,income\n2026-01-01,1\n2026-01-01,2\n');
  const second = await startTail(env);
  await stored(pool, 3100);
  appendFileSync(file, range(3100, 3200).map(row).join(''));
  expect(await stored(pool, 3200)).toEqual({ rows: 3200, distinct: 3200, labelled: expect.any(Number) });
  await expect
    .poll(() => second.read('/metrics'), { timeout: 60_000 })
    .toMatch(/tail_refused_total\{reason="tail_unreadable"\} 1/);
  const untold = async () => {
    const { rows, sent } = JSON.parse(await second.read('/account'));
    return rows - sent;
  };
  await expect.poll(untold).toBe(3);
  await expect.poll(async () => (await stored(pool, 3200)).labelled, { timeout: 60_000 }).toBe(3200);
  for (const [reason, n] of [
    ['tail_unreadable', '1'],
    ['tail_header', '2'],
  ]) {
    const ledger = async () =>
      (await pool.query('select 1 from monitoring.packs where dropped->>$1 = $2', [reason, n])).rowCount;
    await expect.poll(ledger, { timeout: 60_000 }).toBeGreaterThan(0);
  }
  second.child.kill('SIGTERM');
  expect(await once(second.child, 'exit')).toEqual([0, null]);
}, 300_000);

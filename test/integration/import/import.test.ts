import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterEach, expect, test } from 'vitest';
import { BIN, fairway, plainEnv } from '../../harness/demo.ts';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { recount, sorted, stored } from '../monitor/counts.ts';
import { redisFound } from '../../harness/redis.ts';
import { startRedis } from '../monitor/queue.ts';
import { baseline, type Case, cases, MODEL, modelVersion, startProcess, until } from '../monitor/support.ts';

const REFERENCE = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(500, 1)) };
const TOKEN = 'monitor-test-token';
const DAY_MS = 86_400_000;

const cleanups: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function world(queue: 'redis' | 'postgres' = 'postgres') {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-import-'));
  cleanups.push(async () => rmSync(dir, { recursive: true, force: true }));
  const database = await startPostgres();
  cleanups.push(database.stop);
  const writer = await startFakeWriter();
  cleanups.push(writer.stop);
  writer.state.references.set(`${MODEL}/1`, REFERENCE);
  const redis = queue === 'redis' ? await startRedis() : undefined;
  if (redis) cleanups.push(redis.stop);
  const pool = openTestPool(database.url);
  cleanups.push(() => pool.end());
  const queueUrl = redis?.url ?? database.url;
  const recorder = await startProcess('recorder-main.ts', {
    DATABASE_URL: database.url,
    QUEUE_URL: queueUrl,
    QUEUE_PREFIX: 'history',
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
    MONITOR_TOKEN: TOKEN,
  });
  cleanups.push(recorder.stop);
  const env = plainEnv({
    FAIRWAY_WRITER_URL: writer.url,
    FAIRWAY_WRITER_TOKEN: writer.token,
    FAIRWAY_MONITOR_TOKEN: TOKEN,
    FAIRWAY_RECORDER_URL: recorder.url,
    FAIRWAY_QUEUE_URL: queueUrl,
    FAIRWAY_QUEUE_PREFIX: 'history',
  });
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  return { pool, env, file, writer };
}

const args = (file: string, ...more: string[]) => {
  const what = ['--model', MODEL, '--version', '1', '--environment', 'prod', '--score', 'score'];
  return ['import', file, ...what, ...(more.includes('--time') ? [] : ['--time', 'day']), ...more];
};

const timeOf = (index: number) => new Date(Date.UTC(2025, 0, 1) + Math.floor(index / 40) * DAY_MS).toISOString();

/** Scored loans as a bank keeps them: 40 a day, semicolons, CRLF, a column that is no input. */
const csv = (rows: readonly Case[]) =>
  `\uFEFF${[
    'id;day;income;job;score;bad',
    ...rows.map(
      ({ income, job, score, label }, index) =>
        `${index};${timeOf(index).slice(0, 10)};${income};${job === null ? '' : `"${job}"`};${score};${label}`,
    ),
  ].join('\r\n')}\r\n`;

type State = { rows: number; labels: number; packs: number; early: number };

const state = async (pool: Pool): Promise<State> =>
  (
    await pool.query<State>(`select
      (select count(*)::int from monitoring.predictions) as rows,
      (select count(*)::int from monitoring.predictions where label >= 0) as labels,
      (select count(*)::int from monitoring.packs) as packs,
      (select count(*)::int from monitoring.early_labels) as early`)
  ).rows[0] as State;

const expectExact = async (pool: Pool) =>
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, REFERENCE.baseline)));

test.each(['postgres', 'redis'] as const)('history becomes rows, counts and labels once, over %s', async (kind) => {
  if (kind === 'redis' && !redisFound) return;
  const { pool, env, file } = await world(kind);
  const rows = cases(1300, 2);
  const history = file('history.csv', csv(rows));
  const first = await fairway(args(history, '--label', 'bad'), { env });
  expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/1,300 rows read, 1,300 usable, 0 refused\n/)]);
  expect(first.stdout).toMatch(/stored {2}1,300\n {2}labels {2}1,300 joined, 0 known already/);
  expect(first.stdout).toContain('Columns that the model does not take were ignored: "id".');
  expect(first.stderr).toMatch(/sending .*history\.csv: 100 %\n/);
  const before = await state(pool);
  expect(before).toEqual({ rows: 1300, labels: 1300, packs: 3, early: 0 });
  await expectExact(pool);
  const counts = sorted(await stored(pool));
  const found = await pool.query('select time, score, label, inputs, version_source from monitoring.predictions');
  const one = rows.findIndex(({ job }) => job === null);
  const row = found.rows.find(({ inputs }) => inputs.income === rows[one]?.income);
  expect(row).toMatchObject({
    score: rows[one]?.score,
    label: rows[one]?.label,
    inputs: { job: '' },
    version_source: 'url',
  });
  expect((row.time as Date).toISOString()).toBe(timeOf(one));

  const second = await fairway(args(history, '--label', 'bad'), { env });
  expect([second.code, second.stdout]).toEqual([0, expect.stringContaining('1,300 of them by an earlier import')]);
  expect(second.stdout).toContain('0 joined, 1,300 known already');
  expect(await state(pool)).toEqual(before);
  expect(sorted(await stored(pool))).toEqual(counts);
});

test('an import that is killed half-way and repeated is there once, whole; labels may be brought later', async () => {
  const { pool, env, file } = await world();
  const history = file('history.csv', csv(cases(6000, 3)));
  const child = spawn(process.execPath, [BIN, ...args(history, '--time', 'day')], { env, stdio: 'ignore' });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await until('the first pack', 60, async () => ((await state(pool)).packs > 0 ? true : undefined));
  child.kill('SIGKILL');
  await gone;
  const again = await fairway(args(history), { env });
  expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('100 %')]);
  expect(await state(pool)).toMatchObject({ rows: 6000, labels: 0, packs: 13 });
  const labelled = await fairway(args(history, '--label', 'bad'), { env });
  expect(labelled.stdout).toContain('6,000 joined');
  expect(await state(pool)).toEqual({ rows: 6000, labels: 6000, packs: 13, early: 0 });
  await expectExact(pool);
});

test('a bad row costs one row; JSON Lines are spread over a period; a dry run sends nothing', async () => {
  const { pool, env, file } = await world();
  const lines = cases(30, 4).map(({ job, ...row }) => JSON.stringify(job === null ? row : { ...row, job }));
  lines[7] = '{"income": "much", "job": "Sales", "score": 0.5, "label": 1}';
  lines[9] = lines[9]?.replace(/"label":\d/, '"label":"?"') ?? '';
  const history = file('history.jsonl', lines.join('\n'));
  const given = args(history, '--time', '2025-01-01..2025-01-30', '--label', 'label');
  const dry = await fairway([...given, '--dry-run'], { env });
  expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('30 rows read, 29 usable, 1 refused')]);
  expect(dry.stdout).toMatch(/line 8: column income holds no number[^]*line 10: column label holds neither/);
  expect(dry.stdout).toMatch(/first {3}[0-9a-f]{32}-0 at 2025-01-01T00:00:00.000Z: \{"instances": \[\{"income"/);
  expect(await state(pool)).toMatchObject({ rows: 0, packs: 0 });
  expect((await fairway(given, { env })).stdout).toContain('28 joined');
  expect(await state(pool)).toMatchObject({ rows: 29, labels: 28 });
  const { rows } = await pool.query('select distinct time from monitoring.predictions order by time');
  expect(rows.map(({ time }) => (time as Date).toISOString().slice(0, 10)).slice(0, 3)).toEqual([
    '2025-01-01',
    '2025-01-02',
    '2025-01-03',
  ]);
});

test('what agents redact stays out of history as well, and a second import without it brings nothing more', async () => {
  const { pool, env, file } = await world();
  const history = file('history.csv', csv(cases(40, 6)));
  const hidden = { ...env, CAPTURE_REDACT: 'job=drop,income=hash', CAPTURE_HASH_KEY: 'k'.repeat(32) };
  const dry = await fairway([...args(history), '--dry-run'], { env: hidden });
  expect(dry.stdout).toMatch(
    /first .*: \{"instances": \[\{"income": \["[\w-]{22}"\]\}\]\} -> \{"predictions": \[\[[\d.]+\]\]\}\n/,
  );
  expect((await fairway(args(history), { env: hidden })).stdout).toContain('stored  40');
  expect((await fairway(args(history), { env })).stdout).toContain('40 of them by an earlier import');
  const { rows } = await pool.query(
    'select inputs, request from monitoring.predictions p join monitoring.exchanges e on e.id = p.exchange',
  );
  expect(rows).toHaveLength(40);
  for (const { inputs, request } of rows) {
    expect(Object.keys(inputs)).toEqual(['income']);
    expect(inputs.income).toMatch(/^[\w-]{22}$/);
    expect((request as Buffer).toString()).not.toContain('job');
  }
});

test('what cannot be imported is said in a sentence, and nothing is sent', async () => {
  const { pool, env, file, writer } = await world();
  const history = file('history.csv', csv(cases(20, 5)));
  const said = async (given: string[], changed: NodeJS.ProcessEnv = env) => {
    const { code, stderr } = await fairway(given, { env: changed });
    return `${code} ${stderr.trim().split('\n').at(-1)}`;
  };
  expect(await said(args(history, '--label', 'outcome'))).toMatch(
    /^1 .*no column "outcome" \(--label\): there are "id", "day"/,
  );
  expect(await said(args(history, '--time', 'id'))).toMatch(/^1 .*20 of 20 rows cannot be used.*line 2: column id/);
  expect(await said(args(`${history}.gone`))).toMatch(/^1 fairway: There is no file /);
  expect(await said(args(file('x.csv', 'day,score\n')))).toMatch(/^1 .*lacks inputs of loans version 1: income, job/);
  expect(await said(args(history).map((arg) => (arg === '1' ? '9' : arg)))).toMatch(/^1 fairway: nothing at \/v1\//);
  expect(await said([...args(history), '--delimiter', '|'])).toMatch(
    /^1 .*is one column wide when "\|" parts its columns: say by --delimiter what does/,
  );
  expect(await said(args(file('none.csv', 'day,score,income,job\n')))).toMatch(/^1 .*none\.csv has no rows/);
  expect(await said(args(history), { ...env, CAPTURE_REDACT: 'job=hash' })).toMatch(
    /^1 .*needs a key: set CAPTURE_HASH_KEY/,
  );
  writer.state.models = [{ model: MODEL, environments: [{ name: 'dev' }, { name: 'production' }] }];
  expect(await said(args(history))).toMatch(/^1 .*no environment "prod" in its model\.yaml: there are dev, production/);
  writer.state.models = [];
  expect(await said(args(history), plainEnv())).toMatch(/^1 fairway: No stack runs in /);
  expect(await said(args(history), { ...env, FAIRWAY_QUEUE_URL: '' })).toMatch(/^1 fairway: The queue is not known/);
  expect(await state(pool)).toMatchObject({ rows: 0, packs: 0 });
});

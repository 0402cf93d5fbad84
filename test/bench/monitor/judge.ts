import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { dataPlace } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { startPostgresServer } from '../../../packages/cli/src/stack/postgres/server.ts';
import { type Baseline, silentLogger, systemClock, variableBaseline } from '../../../packages/core/src/index.ts';
import { windowJudge } from '../../../packages/monitor/src/app/judge-windows.ts';
import { parsePolicy } from '../../../packages/monitor/src/policy/parse.ts';
import type { JudgeStore } from '../../../packages/monitor/src/ports.ts';
import { judgeStore } from '../../../packages/monitor/src/store/judge-store.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { packCounts } from '../../../packages/monitor/src/store/pack-counts.ts';
import { freePort } from '../../harness/ports.ts';
import { modelVersion } from '../../integration/monitor/support.ts';
import { threadCpu } from '../cpu.ts';
import { atMost, median, type Result } from '../result.ts';

const VARIABLES = Array.from({ length: 12 }, (_, index) => `X${index}`);
const MODELS = 1000;
const ROUNDS = 9;
export const HOUR = '2026-01-01T10:00:00.000Z';
const DAY = Array.from({ length: 24 }, (_, hour) => `2026-01-01T${String(hour).padStart(2, '0')}:00:00.000Z`);

const VALUES = Array.from({ length: 1000 }, (_, index) => index);
export const BASELINE: Baseline = {
  definition: 1,
  model: 'bench',
  version: '1',
  rows: 1000,
  events: 300,
  source: '',
  variables: VARIABLES.map((name) => variableBaseline(name, 'numeric', VALUES)),
  performance: { auc: 0.83, ks: 0.5, rows: 1000, events: 300 },
  scores: Array.from({ length: 1000 }, (_, index) => [index * 10, 7, 3] as const),
};

export const versionOf = (model: string) => ({
  ...modelVersion('1'),
  model,
  variables: VARIABLES.map((name) => ({ name, type: 'decimal', role: 'input' }) as const),
});

export const policyOf = (every: string, model: string) => `apiVersion: fairway.dev/v1
kind: Policy
model: ${model}
period: { every: ${every}, coverageFloor: 0.5 }
minimum: { rows: 300, events: 50, rowsPerBin: 10 }
rules:
  - { id: gini-decay, metric: gini, compare: relative-decay, op: '>', limit: 0.1, guard: { z: 2.326 }, severity: alert }
  - { id: score-psi, metric: scorePsi, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { noise: 0.99 }, severity: warning }
notify: { on: [alert, recovered] }
`;

/** What judging a closed window costs, by the size of the window, and for a thousand models. */
export async function judgeNumbers(): Promise<Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-judge-'));
  const stops: Array<() => unknown> = [() => rmSync(dir, { recursive: true, force: true })];
  try {
    const dataDir = join(dir, 'data');
    stops.push(() => rmSync(dataPlace(dataDir), { recursive: true, force: true }));
    const server = await startPostgresServer({ dataDir, port: await freePort(), password: 'bench' });
    stops.push(() => server.stop());
    const pool = new Pool({ connectionString: server.url, max: 1 });
    stops.push(() => pool.end());
    await migrate(pool);
    await pool.query("set synchronous_commit = off; set work_mem = '64MB'; select setseed(0.5)");
    return [...(await bySize(pool)), await ofThousand(pool)];
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** Counts of an hour with so many predictions: scores as squares of uniform numbers, each an event as often as it says. */
export async function fill(pool: Pool, model: string, hours: readonly string[], rows: number): Promise<void> {
  const drawn = `select floor(s * 10000)::int as bin, (random() < s)::int as label, count(*) as count
    from (select power(random(), 2) as s from generate_series(1, $3)) drawn group by 1, 2`;
  // Beyond a million nobody waits for the draws: every cell has its expected count.
  const expected = `select bin, label, count from (
      select bin, label, round($3::float8 * (sqrt((bin + 1) / 1e4) - sqrt(bin / 1e4)) * abs(1 - label - (bin + 0.5) / 1e4)) as count
      from generate_series(0, 9999) bin cross join generate_series(0, 1) label) cells where count > 0`;
  for (const hour of hours) {
    await pool.query(
      `insert into monitoring.score_counts (model, version, environment, hour, bin, label, count)
       select $1, '1', 'prod', $2, bin, label, count from (${rows > 100_000 ? expected : drawn}) cells`,
      [model, hour, rows],
    );
    await pool.query(
      `insert into monitoring.profile_counts (model, version, environment, hour, variable, bin, count)
       select $1, '1', 'prod', $2, v, bin, $3::bigint / 11 from unnest($4::text[]) v cross join generate_series(-1, 9) bin`,
      [model, hour, rows, VARIABLES],
    );
  }
}

/** As the recorder leaves counts behind: packed. Answers how many seconds that took. */
export async function settle(pool: Pool): Promise<number> {
  await pool.query('vacuum analyze monitoring.score_counts');
  await pool.query('vacuum analyze monitoring.profile_counts');
  const began = performance.now();
  while ((await packCounts(pool)) > 0);
  return Math.round((performance.now() - began) / 100) / 10;
}

export const dirty = (pool: Pool, models: readonly string[], hours: readonly string[]) =>
  pool.query(
    `insert into monitoring.dirty_hours (model, version, environment, hour)
     select m, '1', 'prod', h from unnest($1::text[]) m cross join unnest($2::timestamptz[]) h`,
    [models, hours],
  );

/** The judge as the monitor builds it; `spent` sums the time until the database's answers were read. */
function judgeOf(pool: Pool, every: string) {
  const time = { spent: 0 };
  const store = new Proxy(judgeStore(pool), {
    get:
      (target, name: keyof JudgeStore) =>
      async (...given: never[]) => {
        const began = performance.now();
        try {
          return await (target[name] as (...all: never[]) => Promise<unknown>)(...given);
        } finally {
          time.spent += performance.now() - began;
        }
      },
  });
  const judge = windowJudge({
    store,
    writer: { policy: async (model) => ({ blob: 'b10b', text: policyOf(every, model) }) },
    references: async (model) => ({ modelVersion: versionOf(model), baseline: { ...BASELINE, model } }),
    parsePolicy,
    announcer: { channels: [], dashboardUrl: undefined },
    clock: systemClock,
    log: silentLogger,
    settleMs: 0,
  });
  return { judge, time };
}

/** The middle database times of judging each window again and again, in turn, in ms, and what of that the server computed. */
async function databaseTimes(pool: Pool, models: readonly string[], hours: readonly string[], every: string) {
  const { judge, time } = judgeOf(pool, every);
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const server = () => threadCpu(rows[0]?.pid ?? 0);
  const times = models.map((): Array<readonly [number, number]> => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, model] of models.entries()) {
      await pool.query('truncate monitoring.verdicts cascade');
      await dirty(pool, [model], hours);
      time.spent = 0;
      const before = server();
      const verdicts = await judge();
      if (verdicts.length !== 1) throw new Error(`${verdicts.length} verdicts on ${model}`);
      times[index]?.push([time.spent, server() - before]);
    }
  }
  const middle = (of: readonly number[]) => Math.round(median(of) * 10) / 10;
  return times.map((each) => ({
    spent: middle(each.map(([spent]) => spent)),
    cpu: middle(each.map(([, cpu]) => cpu)),
  }));
}

const NONE = { spent: 0, cpu: 0 };

async function bySize(pool: Pool): Promise<Result[]> {
  const windows = [
    ['hour', [HOUR]],
    ['day', DAY],
  ] as const;
  const results: Result[] = [];
  for (const [every, hours] of windows) {
    const [small, large] = [`small-${every}`, `large-${every}`];
    await fill(pool, small, hours, Math.ceil(10_000 / hours.length));
    await fill(pool, large, hours, Math.ceil(10_000_000 / hours.length));
    await settle(pool);
    const [few = NONE, many = NONE] = await databaseTimes(pool, [small, large], hours, every);
    const cpu = `CPU of the server ${many.cpu} and ${few.cpu} ms`;
    const note = `a window of one ${every}; ${few.spent} ms with 10 thousand predictions; ${cpu}`;
    results.push(
      atMost(`judge-window-${every}`, many.spent, 'ms', 50, `database time with 10 million predictions in ${note}`),
      atMost(`judge-window-${every}-ratio`, Math.round((many.spent / few.spent) * 100) / 100, '', 1.5, note),
    );
  }
  return results;
}

async function ofThousand(pool: Pool): Promise<Result> {
  await pool.query('truncate monitoring.score_counts, monitoring.profile_counts, monitoring.verdicts cascade');
  const models = Array.from({ length: MODELS }, (_, index) => `model-${index}`);
  for (const model of models) await fill(pool, model, [HOUR], 1000);
  const packing = await settle(pool);
  await dirty(pool, models, [HOUR]);
  const { judge, time } = judgeOf(pool, 'hour');
  const began = performance.now();
  const before = process.cpuUsage();
  const verdicts = await judge();
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  if (verdicts.length !== MODELS) throw new Error(`${verdicts.length} verdicts instead of ${MODELS}`);
  const { user, system } = process.cpuUsage(before);
  const cpu = Math.round((user + system) / 1e5) / 10;
  const database = Math.round(time.spent / 100) / 10;
  const note = `1,000 models × 12 variables, an hour of 1,000 predictions each; ${cpu} s of CPU here, ${database} s until the database's answers were read; ${packing} s to pack their counts before`;
  return atMost('judge-thousand-models', seconds, 's', 60, note);
}

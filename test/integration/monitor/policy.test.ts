import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { silentLogger, type Verdict } from '@fairway/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backtestsRoute } from '../../../packages/monitor/src/api/backtests-route.ts';
import { monitorApi } from '../../../packages/monitor/src/api/monitor-api.ts';
import { verdictsRoute } from '../../../packages/monitor/src/api/verdicts-route.ts';
import { storedBacktest, type StoredBacktest } from '../../../packages/monitor/src/app/backtest-stored.ts';
import { windowJudge } from '../../../packages/monitor/src/app/judge-windows.ts';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { checkWatcher } from '../../../packages/monitor/src/app/watch-checks.ts';
import { parsePolicy } from '../../../packages/monitor/src/policy/parse.ts';
import { checkStore } from '../../../packages/monitor/src/store/check-store.ts';
import { evidenceStore } from '../../../packages/monitor/src/store/evidence-store.ts';
import { judgeStore } from '../../../packages/monitor/src/store/judge-store.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { windowStarts } from '../../../packages/monitor/src/store/window-starts.ts';
import { BIN } from '../../harness/demo.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { baseline, type Case, cases, MODEL, modelVersion, packsOf } from './support.ts';

const REFERENCE = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(3000, 1)) };
const policyOf = (rules: string) => `apiVersion: fairway.dev/v1
kind: Policy
model: ${MODEL}
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 300, events: 50, rowsPerBin: 10 }
rules:
${rules}
retrain: { on: alert, cooldown: P14D }
notify: { on: [] }
`;
const AUC = `  - { id: auc-decay, metric: auc, compare: relative-decay, op: '>=', limit: 0.1, guard: { z: 1.96 }, periods: { n: 1, of: 2 }, severity: alert }`;
const PSI = `  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { p: 0.01 }, severity: alert }`;
const QUARTERS = ['2025-01-01', '2025-04-01', '2025-07-01', '2025-10-01'].map((day) => `${day}T00:00:00.000Z`);
const TOKEN = 'policy-test-token';
const clock = { now: () => Date.parse('2026-06-01T00:00:00.000Z') };

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
let server: Server;
let url: string;
let folder: string;
let reference: typeof REFERENCE;
let file: { blob: string; text: string };

beforeAll(async () => {
  database = await startPostgres();
  folder = mkdtempSync(join(tmpdir(), 'fairway-policy-'));
});
afterAll(async () => {
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  pool = openTestPool(database.url);
  await pool.query('drop schema if exists monitoring cascade');
  await migrate(pool);
  [reference, file] = [REFERENCE, { blob: 'b10b', text: policyOf(AUC) }];
  const [store, starts] = [judgeStore(pool), windowStarts(pool)];
  const backtests = storedBacktest({
    starts,
    store,
    references: async () => reference,
    parsePolicy,
    channels: ['teams', 'mail'],
    clock,
  });
  const verdicts = verdictsRoute(evidenceStore(pool));
  const routes = [verdicts, backtestsRoute(backtests)];
  server = monitorApi({ store, dashboard: verdicts, routes, token: TOKEN, log: silentLogger }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  await pool.end();
});

async function play(quarter: number, rows: readonly Case[], labels = rows.map(({ label }) => label)): Promise<void> {
  const period = { start: QUARTERS[quarter] ?? '', end: QUARTERS[quarter + 1] ?? '' };
  for (const each of packsOf(rows, period, `q${quarter}`, '1', 500)) {
    await recordPack({ store: packStore(pool), references: async () => reference, log: silentLogger }, each);
  }
  const given = labels.map((label, index) => ({ id: `q${quarter}-${index}-0`, label }));
  if (given.length > 0) await addLabels(labelStore(pool), given, []);
}

const judgeAll = (channels: readonly string[] = []): Promise<readonly Verdict[]> =>
  windowJudge({
    store: judgeStore(pool),
    writer: { policy: async () => file },
    references: async () => reference,
    parsePolicy,
    announcer: { channels, dashboardUrl: undefined },
    clock,
    log: silentLogger,
    settleMs: 0,
  })();

const problem = async () =>
  (await pool.query<{ problem: string | null }>('select problem from monitoring.policies')).rows[0]?.problem;

type Ended = { readonly code: number; readonly out: string; readonly err: string };

/** The CLI, as a person calls it. It asks this process, which has to go on meanwhile. */
function fairway(...args: readonly string[]): Promise<Ended> {
  const env = {
    PATH: process.env['PATH'],
    FAIRWAY_WRITER_URL: 'http://127.0.0.1:1',
    FAIRWAY_WRITER_TOKEN: 'none',
    FAIRWAY_MONITOR_URL: url,
    FAIRWAY_MONITOR_TOKEN: TOKEN,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

const GOOD = cases(1200, 21);
const DECAYED = cases(1200, 23, { shift: 500, noise: 0.7 });

describe('fairway judge --replay', () => {
  test('gives the same bytes, and says where changed evidence leads', async () => {
    await play(0, GOOD);
    await judgeAll();
    await play(1, DECAYED);
    const [verdict] = await judgeAll();
    expect(verdict?.state).toBe('alert');
    const id = verdict?.id ?? '';
    const same = await fairway('judge', '--replay', id);
    expect([same.code, same.err]).toEqual([0, '']);
    expect(same.out).toContain(`Verdict ${id}: ${MODEL} version 1, prod, 2025Q2, alert`);
    expect(same.out).toMatch(/Equal: counts [0-9a-f]{12}, policy b10b, 1 earlier windows give the same \d+ bytes\./);

    // The first window's counts and the baseline serve both verdicts, and are kept once: 2 counts, a baseline, a policy.
    expect((await pool.query('select 1 from monitoring.evidence_parts')).rowCount).toBe(4);
    await pool.query('update monitoring.evidence_parts set body = replace(body, $1, $2)', ['limit: 0.1', 'limit: 0.9']);
    const other = await fairway('judge', '--replay', id, '--json');
    expect(other.code).toBe(1);
    const { equal, differences } = JSON.parse(other.out) as { equal: boolean; differences: string[] };
    expect([equal, differences.at(-1)]).toEqual([false, 'state: "alert" → "healthy"']);
  });

  test('says when there is no such verdict, or none of its evidence', async () => {
    expect((await fairway('judge', '--replay', 'nonesuch')).err).toContain('No verdict has the id nonesuch');
    await play(0, GOOD);
    const [verdict] = await judgeAll();
    await pool.query('delete from monitoring.verdict_evidence');
    const { code, err } = await fairway('judge', '--replay', verdict?.id ?? '');
    expect([code, err]).toEqual([1, expect.stringContaining('was made before evidence was kept')]);
  });
});

test('of a version whose training data held no scores, performance is held against its first good window', async () => {
  const bare = { ...REFERENCE.baseline, performance: { auc: 0, ks: 0, rows: 0, events: 0 }, scores: [] };
  reference = { ...REFERENCE, baseline: bare };
  await play(0, GOOD);
  await play(1, DECAYED);
  const [first, second] = await judgeAll();
  expect([first?.state, first?.metrics.scorePsi]).toEqual(['healthy', 0]);
  expect(second?.state).toBe('alert');
  expect(second?.findings[0]?.message).toContain('against 2025Q1, its first good window, limit 10.0 %');
  expect((await fairway('judge', '--replay', second?.id ?? '')).out).toContain('Equal: counts');
  const path = join(folder, 'policy.yaml');
  writeFileSync(path, file.text);
  const { out } = await fairway('policy', 'test', path, '--model', MODEL, '--json');
  expect((JSON.parse(out) as StoredBacktest).windows.map(({ state }) => state)).toEqual(['healthy', 'alert']);
});

describe('fairway policy test', () => {
  const policyFile = (text: string) => {
    const path = join(folder, 'policy.yaml');
    writeFileSync(path, text);
    return path;
  };

  test('shows what a changed policy would have said, beside what was said', async () => {
    await play(0, GOOD);
    await play(1, cases(1200, 22, { shift: 1500 }));
    expect((await judgeAll()).map(({ state }) => state)).toEqual(['healthy', 'healthy']);
    const { code, out } = await fairway('policy', 'test', policyFile(policyOf(PSI)), '--model', MODEL, '--json');
    expect(code).toBe(0);
    const answer = JSON.parse(out) as StoredBacktest;
    expect(answer.windows.map(({ period, before, state, retrain }) => [period, before, state, retrain])).toEqual([
      ['2025Q1', 'healthy', 'healthy', null],
      ['2025Q2', 'healthy', 'alert', 'opened'],
    ]);
    expect(answer.summary).toContain('This policy would have opened 1 pull request over 2 quarters.');
    expect(answer.summary).toContain('1 of 2 judged ones would have been told otherwise.');
    expect(answer.chance).toMatchObject({ rows: 1200, windows: 400 });
    expect(answer.chance?.alert).toBeLessThan(0.02);
    const text = await fairway('policy', 'test', policyFile(policyOf(PSI)), '--model', MODEL);
    // The policy names its model.
    expect(await fairway('policy', 'test', policyFile(policyOf(PSI)))).toEqual(text);
    expect(text.out).toMatch(/2025Q2 +v1 +prod +1200 rows +healthy → alert +pull request +input-psi/);
    // Nothing is kept of a test.
    expect((await pool.query('select 1 from monitoring.verdicts')).rowCount).toBe(2);
  });

  test('refuses what cannot be used, in sentences', async () => {
    await play(0, GOOD);
    const wrong = await fairway('policy', 'test', policyFile(policyOf(AUC).replace('0.1,', '1.1,')), '--model', MODEL);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('rules[0].limit is impossible')]);
    const nameless = await fairway('policy', 'test', policyFile('rules: []\n'));
    expect([nameless.code, nameless.err]).toEqual([
      1,
      expect.stringMatching(/policy\.yaml: The policy is not usable: .*model is missing/),
    ]);
    const lacking = policyFile(policyOf(PSI.replace('each-input', 'LOAN')));
    const unfit = await fairway('policy', 'test', lacking, '--model', MODEL);
    expect([unfit.code, unfit.out]).toEqual([
      1,
      expect.stringContaining('rules[0].scope is LOAN, which loans version 1'),
    ]);
    const nothing = await fairway('policy', 'test', policyFile(policyOf(AUC)), '--model', MODEL, '--since', '1h');
    expect([nothing.code, nothing.err]).toEqual([1, expect.stringContaining('There is no ended window of loans')]);
  });
});

describe('a channel that the monitor lacks', () => {
  const mistaken = policyOf(PSI).replace(/notify:.*/, 'notify: { on: [alert], to: { alert: [mail, teems] } }');
  const said = 'notify.to names teems for alert, which is no channel of this monitor: it has teams and mail.';

  test('is told of a policy that is tested, with stored windows and without', async () => {
    const path = join(folder, 'mistaken.yaml');
    writeFileSync(path, mistaken);
    const early = await fairway('policy', 'test', path);
    expect([early.code, early.err]).toEqual([1, expect.stringContaining(said)]);
    await play(0, GOOD);
    const { code, out } = await fairway('policy', 'test', path);
    expect([code, out]).toEqual([1, expect.stringContaining(said)]);
    expect(out).toMatch(/2025Q1 +v1 +prod +1200 rows +healthy/);
  });

  test('is kept with the policy while windows are judged, again where the channels change, and told', async () => {
    file = { blob: 'b10b', text: mistaken };
    await play(0, GOOD);
    expect((await judgeAll(['teams', 'mail'])).map(({ state }) => state)).toEqual(['healthy']);
    const kept = await pool.query('select problem, remark from monitoring.policies');
    expect(kept.rows).toEqual([{ problem: null, remark: expect.stringContaining(said) }]);
    const writer = { models: async () => [] };
    await checkWatcher({ store: checkStore(pool), writer, dashboardUrl: undefined, clock })();
    expect((await pool.query("select event from monitoring.outbox where event <> 'alert'")).rows).toEqual([
      { event: 'policy-mistake' },
    ]);
    await play(1, GOOD);
    await judgeAll(['mail', 'teems']);
    expect((await pool.query('select remark from monitoring.policies')).rows).toEqual([{ remark: null }]);
  });
});

describe('no false verdict', () => {
  test.each([
    ['labels of one class', GOOD, GOOD.map(() => 0 as const)],
    ['no labels', GOOD, []],
    ['one row', GOOD.slice(0, 1), undefined],
    ['scores that are no numbers', GOOD.map((one) => ({ ...one, score: Number.NaN })), undefined],
    ['all inputs missing', GOOD.map((one) => ({ ...one, income: Number.NaN, job: null })), []],
  ])('on a window with %s', async (_what, rows, labels) => {
    file = { blob: 'b10b', text: policyOf(`${AUC}\n${PSI}`) };
    await play(0, rows, labels);
    const verdicts = await judgeAll();
    expect(verdicts.map(({ state, findings }) => [state, findings])).toEqual([['insufficient', []]]);
    expect((await pool.query('select 1 from monitoring.outbox')).rowCount).toBe(0);
  });

  test('by a policy that asks for an input which the model lacks: the windows wait, and people read why', async () => {
    file = { blob: 'b10b', text: policyOf(PSI.replace('each-input', 'LOAN')) };
    await play(0, DECAYED);
    expect(await judgeAll()).toEqual([]);
    expect(await problem()).toContain(
      'rules[0].scope is LOAN, which loans version 1 lacks; its inputs are income, job.',
    );
    file = { blob: 'mended', text: policyOf(AUC) };
    expect((await judgeAll()).map(({ state }) => state)).toEqual(['alert']);
    expect(await problem()).toBeNull();
  });

  test('against the baseline of another version', async () => {
    reference = { ...REFERENCE, baseline: { ...REFERENCE.baseline, version: '7' } };
    await play(0, DECAYED);
    expect(await judgeAll()).toEqual([]);
    expect(await problem()).toContain('The baseline committed with version 1 is that of loans version 7');
  });

  test('on predictions of a clock that runs ahead: their window has not ended', async () => {
    const period = { start: '2027-01-01T00:00:00.000Z', end: '2027-04-01T00:00:00.000Z' };
    for (const each of packsOf(DECAYED, period, 'ahead', '1', 500)) {
      await recordPack({ store: packStore(pool), references: async () => reference, log: silentLogger }, each);
    }
    expect(await judgeAll()).toEqual([]);
    const [ahead, ...others] = await checkStore(pool).futureHours(clock.now());
    expect(others).toEqual([]);
    expect(ahead).toMatchObject({
      model: MODEL,
      version: '1',
      environment: 'prod',
      last: expect.stringContaining('2027-03-31T'),
    });
  });
});

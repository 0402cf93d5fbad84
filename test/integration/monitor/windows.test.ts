import type { Pool } from 'pg';
import { silentLogger } from '@fairway/core';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { monitorApi } from '../../../packages/monitor/src/api/monitor-api.ts';
import { windowsRoute } from '../../../packages/monitor/src/api/windows-route.ts';
import { judge } from '../../../packages/monitor/src/app/judge.ts';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { periodAt } from '../../../packages/monitor/src/app/periods.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { storedWindows, type StoredWindows } from '../../../packages/monitor/src/app/windows.ts';
import { parsePolicy } from '../../../packages/monitor/src/policy/parse.ts';
import { dashboardStore } from '../../../packages/monitor/src/store/dashboard-store.ts';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { judgeStore } from '../../../packages/monitor/src/store/judge-store.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { windowStarts } from '../../../packages/monitor/src/store/window-starts.ts';
import { empty, type Monitoring, startMonitoring } from './database.ts';
import { baseline, cases, modelVersion, MODEL, packsOf } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const TOKEN = 'windows-test-token';
const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: ${MODEL}
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 100, events: 20, rowsPerBin: 10 }
rules:
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, severity: warning }
notify: { on: [alert] }
`;
const QUARTERS = ['2025-01-01', '2025-04-01', '2025-07-01', '2025-10-01'].map((day) => `${day}T00:00:00.000Z`);

let database: Monitoring;
let pool: Pool;
let server: Server;

beforeAll(async () => {
  // Months must not slip where the database thinks in a local time with daylight saving.
  database = await startMonitoring({ options: '-c TimeZone=America/New_York' });
  ({ pool } = database);
  const store = judgeStore(pool);
  const windows = storedWindows({
    starts: windowStarts(pool),
    store,
    policy: (model) => dashboardStore(pool).policy(model),
    references: async () => reference,
    parsePolicy,
  });
  const route = windowsRoute(windows);
  // The dashboard is not asked for anything here.
  const api = monitorApi({ store, dashboard: route, routes: [route], token: TOKEN, log: silentLogger });
  server = api.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await database.stop();
});
beforeEach(() => empty(pool));

async function ask(query = '', status = 200): Promise<StoredWindows & { detail?: string }> {
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/v1/models/${MODEL}/windows${query}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(answer.status).toBe(status);
  return (await answer.json()) as StoredWindows & { detail?: string };
}

async function play(quarter: number, rows: ReturnType<typeof cases>, labelled = rows.length): Promise<void> {
  const needs = { store: packStore(pool), references: async () => reference, log: silentLogger };
  const period = { start: QUARTERS[quarter] ?? '', end: QUARTERS[quarter + 1] ?? '' };
  for (const each of packsOf(rows, period, `w${quarter}`)) await recordPack(needs, each);
  const labels = rows.slice(0, labelled).map((row, index) => ({ id: `w${quarter}-${index}-0`, label: row.label }));
  await addLabels(labelStore(pool), labels, []);
}

/** Judges a quarter as the monitor does. */
async function judged(quarter: number) {
  const store = judgeStore(pool);
  const policy = parsePolicy(POLICY, MODEL);
  const period = periodAt('quarter', QUARTERS[quarter] ?? '');
  const window = { model: MODEL, version: '1', environment: 'prod', ...period };
  const counts = await store.counts(window);
  const judgement = judge({ window, counts, earlier: [], baseline: reference.baseline, policy, blob: 'b10b' });
  await store.keep(judgement, '2026-01-01T00:00:00.000Z', [], []);
  await store.keepPolicy(MODEL, { blob: 'b10b', text: POLICY }, { problem: undefined, remark: undefined });
  return judgement;
}

test('stored windows carry the figures of their verdicts and of later labels', async () => {
  await play(0, cases(600, 31));
  await play(1, cases(600, 32, { shift: 1500 }), 300);
  const [first, second] = [await judged(0), await judged(1)];
  const { every, windows } = await ask();
  expect(every).toBe('quarter');
  expect(windows.map(({ name, version, environment, verdict }) => [name, version, environment, verdict])).toEqual([
    ['2025Q1', '1', 'prod', 'healthy'],
    ['2025Q2', '1', 'prod', 'warning'],
  ]);
  const { auc, aucInterval, ks, gini, psi, psiWithMissing, missing, eventRate } = first.metrics;
  expect(windows[0]).toMatchObject({
    rows: 600,
    labelled: 600,
    findings: [],
    policy: 'b10b',
    judgedAt: '2026-01-01T00:00:00.000Z',
  });
  expect(windows[0]).toMatchObject({ auc, aucInterval, ks, gini, psi, psiWithMissing, missing, eventRate });
  // Below the coverage floor the verdict has no performance; the window shows what its labels give.
  expect(second.metrics.auc).toBeNull();
  expect(windows[1]).toMatchObject({ rows: 600, labelled: 300, auc: expect.any(Number) });
  expect(windows[1]?.findings).toMatchObject([{ rule: 'input-psi', variable: 'income', limit: 0.1 }]);
  expect(windows[1]?.inputs['income']?.['outOfRange']).toBeGreaterThan(0.3);
  expect(windows[0]?.inputs['income']?.['outOfRange']).toBeLessThan(0.02);
});

test('windows of another length, the newest, of one environment; folded or not', async () => {
  await play(0, cases(300, 33));
  while ((await foldCounts(pool)) > 0);
  await play(1, cases(300, 34));
  const months = await ask('?every=month');
  expect(months.windows.map(({ name, verdict }) => [name, verdict])).toEqual(
    ['01', '02', '03', '04', '05', '06'].map((month) => [`2025-${month}`, null]),
  );
  expect(months.windows.reduce((sum, { rows }) => sum + rows, 0)).toBe(600);
  // Without a policy that can be read, months.
  expect((await ask()).every).toBe('month');
  expect((await ask('?every=month&last=2')).windows.map(({ name }) => name)).toEqual(['2025-05', '2025-06']);
  expect((await ask('?every=hour&last=50')).windows).toHaveLength(50);
  expect((await ask('?environment=prod&every=quarter')).windows).toHaveLength(2);
  expect((await ask('?environment=test&every=quarter')).windows).toEqual([]);
  expect((await ask('?every=year', 400)).detail).toContain('hour, day, week, month, quarter');
  expect((await ask('?last=0', 400)).detail).toContain('from 1 to 1000');
});

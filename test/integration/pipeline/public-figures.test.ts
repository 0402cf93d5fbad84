import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { type Baseline, cellText, type ModelVersion, variableBaseline } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storedWindows, type StoredWindow } from '../../../packages/monitor/src/app/windows.ts';
import { parsePolicy } from '../../../packages/monitor/src/policy/parse.ts';
import { dashboardStore } from '../../../packages/monitor/src/store/dashboard-store.ts';
import { judgeStore } from '../../../packages/monitor/src/store/judge-store.ts';
import { windowStarts } from '../../../packages/monitor/src/store/window-starts.ts';
import { ROOT } from '../../guards/source.ts';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { type Agent, eventually, spoolFolder, startAgent } from '../agent/agent.ts';
import { startProcess } from '../monitor/support.ts';

const shared = (path: string) => join(ROOT, '../shared', path);
const present = existsSync(shared('data/hmeq/perf_1_q1.csv')) && existsSync(shared('reference/hmeq-q1-q2.json'));

const MODEL = 'hmeq';
const TOKEN = 'pipeline-test-token';
const TEXT = new Set(['REASON', 'JOB']);
const PER_CALL = 40;
const CONNECTIONS = 4;
const QUARTERS = [
  { name: '2025Q1', key: 'q1', file: 'perf_1_q1.csv', start: Date.parse('2025-01-01T00:00:00Z') },
  { name: '2025Q2', key: 'q2', file: 'perf_2_q2.csv', start: Date.parse('2025-04-01T00:00:00Z') },
] as const;
const QUARTER_MS = 90 * 86_400_000;

type Row = Readonly<Record<string, string>>;

function rowsOf(file: string): Row[] {
  const lines = readFileSync(shared(`data/hmeq/${file}`), 'utf8')
    .trim()
    .split('\n');
  const delimiter = lines[0]?.includes(';') ? ';' : ',';
  const names = lines[0]?.trim().split(delimiter) ?? [];
  return lines
    .slice(1)
    .map((line) => Object.fromEntries(line.split(delimiter).map((cell, at) => [names[at] ?? '', cell.trim()])));
}

const train = present ? rowsOf('train.csv') : [];
const INPUTS = Object.keys(train[0] ?? {}).filter((name) => name !== 'BAD');

const baseline = (): Baseline => ({
  definition: 1,
  model: MODEL,
  version: '1',
  rows: train.length,
  events: 0,
  source: '',
  variables: INPUTS.map((name) => {
    const value = ({ [name]: cell = '' }: Row) =>
      TEXT.has(name) ? cell : cellText(cell) === null ? null : Number(cell);
    return variableBaseline(name, TEXT.has(name) ? 'category' : 'numeric', train.map(value));
  }),
  performance: { auc: 0, ks: 0, rows: 0, events: 0 },
  scores: [],
});

const modelVersion = (): ModelVersion => ({
  model: MODEL,
  version: '1',
  digest: `sha256:${'1'.repeat(64)}`,
  signature: {
    name: 'serving_default',
    method: 'tensorflow/serving/predict',
    inputs: INPUTS.map((name) => ({ name, dtype: TEXT.has(name) ? 'DT_STRING' : 'DT_FLOAT', shape: [-1, 1] })),
    outputs: [{ name: 'P_BAD1', dtype: 'DT_FLOAT', shape: [-1, 1] }],
  },
  variables: [
    ...INPUTS.map((name) => ({ name, type: TEXT.has(name) ? 'string' : 'decimal', role: 'input' }) as const),
    { name: 'P_BAD1', type: 'decimal', role: 'output' },
  ],
  target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
  metrics: {},
  origin: 'test',
});

/** The model that gave the public scores is not public: this one knows its answer to each row, by the call's first row. */
async function startModel() {
  const quarters = QUARTERS.map(({ file }) => rowsOf(file));
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      if (request.method !== 'POST') {
        const status = { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } };
        return response.end(JSON.stringify({ model_version_status: [status] }));
      }
      const [quarter = 0, from = 0] = String(request.headers['x-rows']).split('/').map(Number);
      const scores = (quarters[quarter] ?? []).slice(from, from + PER_CALL).map((row) => `[${row['P_BAD1']}]`);
      return response.end(`{"predictions":[${scores.join(',')}]}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

/** A row as TF Serving's JSON has it: a missing number is NaN, a missing text is empty. */
const instance = (row: Row): string => {
  const cells = INPUTS.map((name) => {
    const cell = row[name] ?? '';
    return `"${name}":[${TEXT.has(name) ? JSON.stringify(cell) : cell === '' ? 'NaN' : cell}]`;
  });
  return `{${cells.join(',')}}`;
};

/** Sends a quarter through the agent, evenly over its time; answers the labels of its predictions. */
async function play(agent: Agent, quarter: number): Promise<string[]> {
  const { file, start } = QUARTERS[quarter] as (typeof QUARTERS)[number];
  const rows = rowsOf(file);
  const labels: string[] = [];
  let next = 0;
  const worker = async () => {
    for (let from = next; from < rows.length; from = next) {
      next += PER_CALL;
      const called = rows.slice(from, from + PER_CALL);
      const answer = await fetch(`${agent.url}/v1/models/${MODEL}:predict`, {
        method: 'POST',
        headers: {
          'x-rows': `${quarter}/${from}`,
          'x-fairway-time': new Date(start + Math.floor((QUARTER_MS * from) / rows.length)).toISOString(),
        },
        body: `{"instances":[${called.map(instance).join(',')}]}`,
      });
      await answer.arrayBuffer();
      const id = answer.headers.get('x-fairway-id');
      called.forEach((row, at) => labels.push(JSON.stringify({ id: `${id}-${at}`, label: Number(row['BAD']) })));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return labels;
}

type Published = {
  readonly inputs: Record<string, { psi_right_closed?: number; psi_with_missing_bin: number }>;
  readonly performance: {
    readonly auc: number;
    readonly auc_se_delong: number;
    readonly ks_class: number;
    readonly gini: number;
    readonly brier_ase: number;
    readonly mean_score: number;
  };
};

describe.skipIf(!present)(
  'the worked figures of the public data, by agent, queue, recorder, profiles and metrics (skipped where ../shared is absent)',
  () => {
    const cleanups: Array<() => Promise<unknown>> = [];
    let pool: Pool;
    let windows: readonly StoredWindow[] = [];

    beforeAll(async () => {
      const database = await startPostgres();
      cleanups.push(database.stop);
      pool = openTestPool(database.url);
      cleanups.push(() => pool.end());
      const [writer, model, spool] = [await startFakeWriter(), await startModel(), spoolFolder()];
      cleanups.push(writer.stop, model.stop, async () => spool.remove());
      const reference = { modelVersion: modelVersion(), baseline: baseline() };
      writer.state.references.set(`${MODEL}/1`, reference);
      const recorder = await startProcess('recorder-main.ts', {
        DATABASE_URL: database.url,
        QUEUE_URL: database.url,
        QUEUE_PREFIX: 'pipeline',
        WRITER_URL: writer.url,
        WRITER_TOKEN: writer.token,
        MONITOR_TOKEN: TOKEN,
      });
      cleanups.push(recorder.stop);
      const agent = await startAgent({
        upstream: model.port,
        queueUrl: database.url,
        spool: spool.path,
        env: { FAIRWAY_MODEL: MODEL, FAIRWAY_ENVIRONMENT: 'prod', QUEUE_PREFIX: 'pipeline', TRUST_EVENT_TIME: 'true' },
      });
      cleanups.push(() => agent.end('SIGTERM'));
      const labels = [...(await play(agent, 0)), ...(await play(agent, 1))];
      await eventually(async () => {
        const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from monitoring.predictions');
        return rows[0]?.n === labels.length;
      }, 120_000);
      const booked = await fetch(`${recorder.url}/v1/labels`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/x-ndjson' },
        body: labels.join('\n'),
      });
      expect(await booked.json()).toMatchObject({ joined: labels.length });
      const store = judgeStore(pool);
      const read = storedWindows({
        starts: windowStarts(pool),
        store,
        policy: (name) => dashboardStore(pool).policy(name),
        references: async () => reference,
        parsePolicy,
      });
      ({ windows } = await read({ model: MODEL, environment: 'prod', every: 'quarter', last: 9 }));
    }, 240_000);
    afterAll(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    });

    const near = (found: number | null | undefined, published: number, within: number) =>
      expect(Math.abs((found ?? Number.NaN) - published)).toBeLessThan(within);

    test.each(QUARTERS)('$name', ({ name, key }) => {
      const { periods } = JSON.parse(readFileSync(shared('reference/hmeq-q1-q2.json'), 'utf8')) as {
        periods: Record<string, Published>;
      };
      const { inputs, performance } = periods[key] as Published;
      const window = windows.find((one) => one.name === name);
      expect(window).toMatchObject({ version: '1', environment: 'prod', rows: 5960, labelled: 5960 });
      for (const [input, published] of Object.entries(inputs)) {
        if (published.psi_right_closed !== undefined) near(window?.psi[input], published.psi_right_closed, 1e-9);
        near(window?.psiWithMissing[input], published.psi_with_missing_bin, 1e-9);
      }
      near(window?.auc, performance.auc, 0.0005);
      near(window?.ks, performance.ks_class, 0.0005);
      near(window?.gini, performance.gini, 0.001);
      const [low = Number.NaN, high = Number.NaN] = window?.aucInterval ?? [];
      near((high - low) / 2 / 1.959964, performance.auc_se_delong, 1e-5);
      near(window?.figures['brier'], performance.brier_ase, 1e-4);
      near(window?.figures['meanScore'], performance.mean_score, 5e-5);
    });

    test('nothing was lost or recorded twice on the way', async () => {
      const { rows } = await pool.query(
        'select sum(stored)::int as stored, max(dropped::text) as dropped from monitoring.packs',
      );
      expect(rows).toEqual([{ stored: 2 * 5960, dropped: '{}' }]);
    });
  },
);

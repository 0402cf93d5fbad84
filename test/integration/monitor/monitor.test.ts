import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Pool } from 'pg';
import { silentLogger, systemClock } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { snapshotFiles } from '../../../packages/monitor/src/snapshot/files.ts';
import { snapshotQuery } from '../../../packages/monitor/src/snapshot/query.ts';
import { readSnapshot } from '../../../packages/monitor/src/store/database.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import type { FakeChannel } from '../../harness/fake-channel.ts';
import type { FakeWriter } from '../../harness/fake-writer.ts';
import { type Judging, REFERENCE, startJudging } from './judging.ts';
import { type Case, cases, type Child, modelVersion, MODEL, packsOf, until } from './support.ts';

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: ${MODEL}
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 300, events: 50, rowsPerBin: 10 }
rules:
  - { id: auc-decay, metric: auc, compare: relative-decay, op: '>=', limit: 0.1, guard: { z: 1.96 }, severity: alert }
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { noise: 0.95 }, severity: warning }
retrain: { on: alert, cooldown: P14D }
notify: { on: [alert, recovered] }
`;
const QUARTERS = ['2025-01-01', '2025-04-01', '2025-07-01', '2025-10-01', '2026-01-01', '2026-04-01'].map(
  (day) => `${day}T00:00:00.000Z`,
);

let world: Judging;
let pool: Pool;
let writer: FakeWriter;
let channel: FakeChannel;
let webhook: FakeChannel;
let snapshots: string;

beforeEach(async () => {
  world = await startJudging(POLICY);
  ({ pool, writer, channel, webhook, snapshots } = world);
  writer.state.references.set(`${MODEL}/2`, {
    baseline: { ...REFERENCE.baseline, version: '2' },
    modelVersion: modelVersion('2'),
  });
});
afterEach(() => world.stop());

/** Plays a quarter: predictions and, unless told otherwise, all their labels. */
async function play(quarter: number, rows: readonly Case[], { version = '1', labelled = true } = {}): Promise<void> {
  const period = { start: QUARTERS[quarter] ?? '', end: QUARTERS[quarter + 1] ?? '' };
  const references = async () => writer.state.references.get(`${MODEL}/${version}`);
  for (const each of packsOf(rows, period, `q${quarter}`, version, 500)) {
    await recordPack({ store: packStore(pool), references, log: silentLogger }, each);
  }
  if (labelled) await label(quarter, rows);
}
const label = (quarter: number, rows: readonly Case[]) =>
  addLabels(
    labelStore(pool),
    rows.map((row, index) => ({ id: `q${quarter}-${index}-0`, label: row.label })),
    [],
  );

/** The verdict on all of a quarter: one on its first packs may come before. */
const verdictOf = (child: Child, period: string, labelled: number) =>
  until(`a verdict on ${period}`, 60, async () =>
    (await world.verdicts(child)).find(
      ({ window, metrics }) => window.period === period && metrics.predictions >= 1200 && metrics.labelled >= labelled,
    ),
  );

const GOOD = cases(1200, 21);
const MOVED = cases(1200, 22, { shift: 1500 });
const DECAYED = cases(1200, 23, { shift: 500, noise: 0.7 });

describe('the monitor', () => {
  // Five quarters, each waited for.
  test('judges healthy, warning and alert, asks once for retraining, tells once, and sees the recovery', {
    timeout: 240_000,
  }, async () => {
    const child = await world.monitor();
    await play(0, GOOD);
    expect(await verdictOf(child, '2025Q1', 1200)).toMatchObject({ state: 'healthy', findings: [], policy: 'b10b' });
    await play(1, MOVED);
    const warning = await verdictOf(child, '2025Q2', 1200);
    expect(warning).toMatchObject({ state: 'warning', findings: [{ rule: 'input-psi', variable: 'income' }] });
    await play(2, DECAYED);
    expect((await verdictOf(child, '2025Q3', 1200)).state).toBe('alert');
    const request = await until('the retrain request', 60, () => writer.state.requests[0]);
    expect(request).toMatchObject({
      kind: 'retrain',
      model: MODEL,
      version: '1',
      environment: 'prod',
      verdict: { state: 'alert' },
    });
    expect(request.windows.map(({ window }) => window.period)).toEqual(['2025Q1', '2025Q2']);
    expect(request.snapshot).toMatchObject({ rows: 3600, labels: 3600, start: QUARTERS[0], end: QUARTERS[3] });
    const csv = gunzipSync(readFileSync(join(snapshots, request.snapshot.file)));
    expect(createHash('sha256').update(csv).digest('hex')).toBe(request.snapshot.sha256);
    const lines = csv.toString('utf8').trimEnd().split('\n');
    expect(lines[0]).toBe('id,time,version,income,job,p_event,bad');
    expect(lines).toHaveLength(3601);
    await until('the card', 60, () => channel.cards[0]);

    // A corrected label re-judges the window; neither a card nor a retrain goes out twice; a new one brings the open retrain up to date.
    await addLabels(labelStore(pool), [{ id: 'q2-0-0', label: DECAYED[0]?.label === 1 ? 0 : 1 }], []);
    await play(3, cases(1200, 24, { noise: 0.8 }));
    expect((await verdictOf(child, '2025Q4', 1200)).state).toBe('alert');
    await until('the second card', 60, () => channel.cards[1]);
    const update = await until('the newer evidence', 60, () =>
      writer.state.requests.find(({ verdict }) => verdict.window.period === '2025Q4'),
    );
    expect(update.windows.map(({ window }) => window.period)).toEqual(['2025Q1', '2025Q2', '2025Q3']);
    expect(writer.state.changes).toHaveLength(1);

    await play(4, cases(1200, 25), { version: '2' });
    expect((await verdictOf(child, '2026Q1', 1200)).state).toBe('healthy');
    const recovered = await until('the recovery card', 60, () =>
      channel.cards.find(({ title }) => title.includes('performs well again')),
    );
    expect(recovered.title).toContain('2026Q1');
    expect(channel.cards).toHaveLength(3);
  });

  test('takes the request back when the version performs well again, and asks no more for what is over', async () => {
    const child = await world.monitor();
    await play(0, DECAYED);
    await until('the retrain request', 60, () => writer.state.requests[0]);
    await play(2, cases(1200, 27), { labelled: false });
    await verdictOf(child, '2025Q3', 0);
    expect(writer.state.changes[0]?.phase).toBe('requested');
    await play(1, GOOD);
    await until('the withdrawal', 60, () => (writer.state.changes[0]?.phase === 'superseded' ? true : undefined));
    expect(writer.state.changes[0]?.reason).toContain('all rules hold in 2025Q2');
    expect(writer.state.requests).toHaveLength(1);
  });

  test('says insufficient while labels are missing, and never lets that clear anything', async () => {
    const child = await world.monitor();
    const rows = cases(1200, 26, { noise: 0.8 });
    await play(0, rows, { labelled: false });
    const before = await verdictOf(child, '2025Q1', 0);
    expect(before).toMatchObject({
      state: 'insufficient',
      metrics: { auc: null, ks: null, labelled: 0, predictions: 1200 },
    });
    await label(0, rows);
    expect((await verdictOf(child, '2025Q1', 1200)).state).toBe('alert');
  });

  test('killed at any moment, sends one retrain request and one card to each channel', async () => {
    await play(0, DECAYED);
    writer.state.hangUpAfterChange = true;
    channel.answers.push({ status: 503 }, { status: 429, retryAfter: '1' });
    webhook.answers.push({ without: 'close' }, ...Array.from({ length: 20 }, () => ({ status: 204 })));
    for (const afterMs of [100, 350, 600, 900]) {
      const child = await world.monitor();
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await child.kill();
    }
    const last = await world.monitor();
    await until('everything settled', 90, async () => {
      // First the verdict: what leaves because of it is stored with it, so that an empty outbox before it says nothing.
      if ((await world.verdicts(last)).length !== 1) return undefined;
      return world.settled();
    });
    expect(new Set(writer.state.requests.map(({ dedupeKey }) => dedupeKey)).size).toBe(1);
    expect(new Set(writer.state.requests.map((request) => JSON.stringify(request))).size).toBe(1);
    expect(writer.state.changes).toHaveLength(1);
    const [id, ...others] = new Set(channel.cards.map(({ deliveryId }) => deliveryId));
    expect(others).toEqual([]);
    const hooked = webhook.requests.map(({ headers }) => headers['x-fairway-delivery']);
    expect(new Set(hooked)).toEqual(new Set([`${id}-webhook`]));
    const metrics = await (await fetch(`${last.url}/metrics`)).text();
    expect(metrics).toContain('fairway_notifications{channel="webhook",state="accepted"} 1');
    expect(readdirSync(snapshots).filter((name) => !name.startsWith('.'))).toHaveLength(1);
  });

  test('waits with its verdicts while the writer is down, and shows the dashboard meanwhile', async () => {
    await play(0, GOOD);
    writer.state.down = true;
    const child = await world.monitor();
    const page = await (await fetch(`${child.url}/`)).text();
    expect(page).toContain('does not answer');
    expect(await world.verdicts(child)).toEqual([]);
    writer.state.down = false;
    expect((await verdictOf(child, '2025Q1', 1200)).state).toBe('healthy');
    expect(await (await fetch(`${child.url}/models/${MODEL}`)).text()).toContain('2025Q1');
    expect((await fetch(`${child.url}/models/nobody`)).status).toBe(404);
    expect((await fetch(`${child.url}/v1/windows`)).status).toBe(401);
  });

  test('shows a policy that cannot be used, and judges once it is mended', async () => {
    await play(0, GOOD);
    writer.state.policies.set(MODEL, { blob: 'bad', text: POLICY.replace('coverageFloor', 'coverageFlor') });
    const child = await world.monitor();
    await until('the sentence on the page', 60, async () => {
      const page = await (await fetch(`${child.url}/models/${MODEL}`)).text();
      return page.includes('period has an unknown key coverageFlor') ? true : undefined;
    });
    const card = await until('the card', 60, () => channel.cards[0]);
    expect(card.title).toContain('cannot be checked');
    writer.state.policies.set(MODEL, { blob: 'good', text: POLICY });
    expect((await verdictOf(child, '2025Q1', 1200)).policy).toBe('good');
  });
});

test('the same rows give the same snapshot, byte for byte', async () => {
  await play(0, cases(800, 31));
  const bounds = { model: MODEL, version: '1', environment: 'prod', start: QUARTERS[0] ?? '', end: QUARTERS[1] ?? '' };
  const files = snapshotFiles(readSnapshot(pool), snapshots, systemClock);
  const first = await files.take(bounds, REFERENCE.modelVersion);
  const bytes = readFileSync(join(snapshots, first.file));
  const second = await files.take(bounds, REFERENCE.modelVersion);
  expect(second).toEqual(first);
  expect(readFileSync(join(snapshots, second.file)).equals(bytes)).toBe(true);
  const rows = gunzipSync(bytes).toString('utf8').trimEnd().split('\n').slice(1);
  const keys = rows.map((row) => row.split(',').slice(0, 2).reverse().join(' '));
  expect(keys).toEqual(keys.toSorted());
  expect(rows.filter((row) => row.split(',')[4] === '').length).toBeGreaterThan(50);
});

const ODD_ROW = `
with stream as (
  insert into monitoring.streams select monitoring.stream_id($2, '1', 'url', 'prod'), $2, '1', 'url', 'prod' on conflict do nothing
)
insert into monitoring.prediction_rows (day, id, stream, time, score, latency_ms, status, pack, inputs, outputs)
values ('2025-01-02', $1, monitoring.stream_id($2, '1', 'url', 'prod'), $3, 0.5, 1, 200, 0, $4, '{}')`;

test('a snapshot reads odd inputs as monitoring.input_cell does', async () => {
  const names = ['income', '$odd', 'n'.repeat(70)];
  const variables = names.map((name) => ({ name, type: 'string' as const, role: 'input' as const }));
  const odd = [
    { income: ' 12.50 ', $$odd: 'x', [names[2] as string]: 'y' },
    { income: { $: 'NaN' } },
    { income: { $: 'int64', value: '9007199254740993' } },
    { income: { $: 'bytes', value: 'Office' }, $$odd: null },
    { income: '{braces}' },
    { income: { $: 'truncated', value: 'xyz' } },
    { income: ['a', 1] },
    { income: ' NA ' },
    {},
  ];
  for (const [index, inputs] of odd.entries()) {
    const values = [`odd-${index}`, MODEL, QUARTERS[0], JSON.stringify(inputs)];
    await pool.query(ODD_ROW, values);
    await pool.query(`insert into monitoring.prediction_labels (day, id, label) values ('2025-01-02', $1, 1)`, [
      values[0],
    ]);
  }
  const bounds = { model: MODEL, version: '1', environment: 'prod', start: QUARTERS[0] ?? '', end: QUARTERS[1] ?? '' };
  const query = snapshotQuery(bounds, { ...REFERENCE.modelVersion, variables });
  const { rows } = await pool.query<Record<string, string | null>>(query);
  const cells = names.map((name, index) => `monitoring.input_cell(inputs, '${name}') as c${index}`);
  const exact = await pool.query(`select ${cells.join(', ')} from monitoring.predictions order by id`);
  expect(rows.map((row) => Object.values(row).slice(3, 6))).toEqual(exact.rows.map(({ c0, c1, c2 }) => [c0, c1, c2]));
  expect(rows.map((row) => row['income'])).toContain('9007199254740993');
});

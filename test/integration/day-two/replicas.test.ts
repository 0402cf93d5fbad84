import { readdirSync } from 'node:fs';
import type { Pool } from 'pg';
import { openTestPool } from '../../harness/postgres.ts';
import { silentLogger } from '@fairway/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packCounts } from '../../../packages/monitor/src/store/pack-counts.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { dropOldDays } from '../../../packages/monitor/src/store/retention.ts';
import { recount, sorted, stored } from '../monitor/counts.ts';
import { type Judging, REFERENCE, startJudging } from '../monitor/judging.ts';
import { cases, MODEL, packsOf, until } from '../monitor/support.ts';

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: ${MODEL}
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 300, events: 50, rowsPerBin: 10 }
rules:
  - { id: auc-decay, metric: auc, compare: relative-decay, op: '>=', limit: 0.1, guard: { z: 1.96 }, severity: alert }
retrain: { on: alert, cooldown: P14D }
notify: { on: [alert, recovered] }
`;
const QUARTERS = ['2025-01-01', '2025-04-01', '2025-07-01', '2025-10-01'].map((day) => `${day}T00:00:00.000Z`);
const DAY_MS = 86_400_000;

let world: Judging;
let pool: Pool;

beforeEach(async () => {
  world = await startJudging(POLICY);
  ({ pool } = world);
});
afterEach(() => world.stop());

const references = async () => REFERENCE;

async function play(quarter: number, noise: number, labelled = true): Promise<void> {
  const rows = cases(1200, 40 + quarter, { noise });
  const period = { start: QUARTERS[quarter] ?? '', end: QUARTERS[quarter + 1] ?? '' };
  for (const each of packsOf(rows, period, `q${quarter}`, '1', 500))
    await recordPack({ store: packStore(pool), references, log: silentLogger }, each);
  if (!labelled) return;
  const labels = rows.map((row, index) => ({ id: `q${quarter}-${index}-0`, label: row.label }));
  await addLabels(labelStore(pool), labels, []);
}

test('two monitors judge a window once, and tell and ask of it once', async () => {
  const { writer, channel, webhook, snapshots } = world;
  const [one, other] = await Promise.all([world.monitor(), world.monitor()]);
  for (const [quarter, noise] of [0, 0.8, 0].entries()) await play(quarter, noise);
  const states = await until('verdicts on all quarters', 90, async () => {
    const all = await world.verdicts(one);
    const full = all.filter(({ metrics }) => metrics.labelled === 1200);
    return full.length === 3 && all.length === 3 ? all.map(({ state }) => state).toSorted() : undefined;
  });
  expect(states).toEqual(['alert', 'healthy', 'healthy']);
  await until('cards on alert and recovery', 60, () => (channel.cards.length >= 2 ? true : undefined));
  await until('an empty outbox', 60, world.settled);
  expect((await world.verdicts(other)).map(({ state }) => state).toSorted()).toEqual(states);

  const ids = channel.cards.map(({ deliveryId }) => deliveryId);
  expect(channel.requests).toHaveLength(ids.length);
  expect(new Set(ids).size).toBe(ids.length);
  const hooked = webhook.requests.map(({ headers }) => String(headers['x-fairway-delivery']));
  expect(new Set(hooked).size).toBe(hooked.length);
  expect(hooked.toSorted()).toEqual(ids.map((id) => `${id}-webhook`).toSorted());
  expect(writer.state.changes).toHaveLength(1);
  expect(new Set(writer.state.requests.map(({ dedupeKey }) => dedupeKey)).size).toBe(1);
  expect(writer.state.requests).toHaveLength(1);
  expect(readdirSync(snapshots).filter((name) => !name.startsWith('.'))).toHaveLength(1);
});

test('one of two monitors dies, and the other judges and tells what comes next', async () => {
  const { writer, channel } = world;
  const [one, other] = await Promise.all([world.monitor(), world.monitor()]);
  await play(0, 0);
  await until('the first verdict', 60, async () => ((await world.verdicts(other)).length === 1 ? true : undefined));
  await one.kill();
  await play(1, 0.8);
  await until('the card', 90, () => channel.cards[0]);
  await until('an empty outbox', 60, world.settled);
  expect(channel.cards).toHaveLength(1);
  expect(writer.state.requests).toHaveLength(1);
});

test('two recorders add up counts and give up days at the same time, and every count stays right', async () => {
  const second = openTestPool(world.url);
  try {
    await play(0, 0);
    await play(1, 0);
    const rounds = Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? pool : second));
    const work = rounds.flatMap((one) => [foldCounts(one), packCounts(one)]);
    await Promise.all([play(2, 0), ...work]);
    while ((await foldCounts(pool)) > 0);
    while ((await packCounts(second)) > 0);
    expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, REFERENCE.baseline)));

    const before = await stored(pool);
    const now = Date.parse(QUARTERS[2] ?? '') + DAY_MS;
    await Promise.all(rounds.map((one) => dropOldDays(one, now, 1)));
    while (await dropOldDays(pool, now, 1));
    const { rows } = await pool.query<{ oldest: Date }>('select min(time) as oldest from monitoring.predictions');
    expect(rows[0]?.oldest.getTime()).toBeGreaterThanOrEqual(Date.parse(QUARTERS[2] ?? ''));
    expect(sorted(await stored(pool))).toEqual(sorted(before));
  } finally {
    await second.end();
  }
});

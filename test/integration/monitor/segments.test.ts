import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { type Baseline, binOf, silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { judge } from '../../../packages/monitor/src/app/judge.ts';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { rebuild } from '../../../packages/monitor/src/app/rebuild.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { segmentInputs, segmentsOf, segmentSets } from '../../../packages/monitor/src/metrics/segment-counts.ts';
import { parsePolicy } from '../../../packages/monitor/src/policy/parse.ts';
import { foldCounts } from '../../../packages/monitor/src/store/fold-counts.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packCounts } from '../../../packages/monitor/src/store/pack-counts.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { rebuildStore } from '../../../packages/monitor/src/store/rebuild-store.ts';
import { referenceStore } from '../../../packages/monitor/src/store/reference-store.ts';
import { windowCounts } from '../../../packages/monitor/src/store/window-counts.ts';
import { empty, type Monitoring, startMonitoring } from './database.ts';
import { baseline, type Case, cases, modelVersion, MODEL, packsOf } from './support.ts';

const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };
const WINDOW = {
  model: MODEL,
  version: '1',
  environment: 'prod',
  start: PERIOD.start,
  end: '2025-02-01T00:00:00.000Z',
  period: '2025-01',
};
const reference = {
  modelVersion: modelVersion('1'),
  baseline: { ...baseline('1', cases(500, 30)), segments: ['job', 'income', 'any-missing'] } as Baseline,
};
const references = async () => reference;
const inputs = segmentInputs(reference.baseline);

let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(async () => {
  await database.stop();
});
beforeEach(() => startOver());

async function startOver(): Promise<void> {
  await empty(pool);
  await referenceStore(pool).keepReference(reference);
}

const record = (one: Parameters<typeof recordPack>[1]) =>
  recordPack({ store: packStore(pool), references, log: silentLogger }, one);

async function differences(): Promise<unknown[]> {
  const found: unknown[] = [];
  const asked = { model: MODEL, from: '2024-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z', verify: true };
  await rebuild({ store: rebuildStore(pool), references }, asked, (report) => found.push(...report.differences));
  return found;
}

const settle = async () => {
  while ((await foldCounts(pool)) > 0);
  while ((await packCounts(pool)) > 0);
};

/** `bins of the set: [unlabelled, non-events, events, sum of 1e-4 scores in its steps]` as the counts have them. */
async function bySegment(set: readonly number[]): Promise<ReadonlyMap<string, readonly number[]>> {
  const { segments } = segmentsOf(await windowCounts(pool, WINDOW), inputs, set);
  return new Map(
    segments
      .map(({ where, counts: { scores } }) => {
        const sum = (at: 1 | 2 | 3) => scores.reduce((all, row) => all + row[at], 0);
        return [JSON.stringify(where), [sum(1), sum(2), sum(3)]] as const;
      })
      .filter(([, counts]) => counts.some((count) => count !== 0)),
  );
}

/** The same from what was sent: rows that are recorded, and the last label that each was given. */
function fromRows(
  rows: readonly Case[],
  recorded: ReadonlySet<number>,
  labels: ReadonlyMap<string, number>,
  set: readonly number[],
) {
  const jobs = ['Office', 'Sales', 'other', 'missing'];
  const edges = inputs[1]?.kind === 'numeric' ? inputs[1].edges : [];
  const incomes = [
    ...edges.map((edge) => `≤ ${Number(edge.toPrecision(4))}`),
    `> ${Number(edges.at(-1)?.toPrecision(4))}`,
  ];
  const wanted = new Map<string, [number, number, number]>();
  for (const at of recorded) {
    const row = rows[at] as Case;
    const where: Record<string, string> = {};
    for (const position of set) {
      const isMissing = row.job === null || Number.isNaN(row.income);
      if (position === 2) where['any-missing'] = isMissing ? 'yes' : 'no';
      else if (position === 0) where['job'] = row.job === null ? 'missing' : (jobs[jobs.indexOf(row.job)] as string);
      else where['income'] = incomes[binOf(inputs[1] as never, row.income)] as string;
    }
    const key = JSON.stringify(where);
    const cells = wanted.get(key) ?? [0, 0, 0];
    const label = labels.get(`p-${at}-0`);
    cells[label === undefined ? 0 : label + 1]! += 1;
    wanted.set(key, cells);
  }
  return wanted;
}

test('counts by segment equal the rows after any sequence of packs, repeated packs, early, late, corrected and repeated labels', async () => {
  const rows = cases(60, 41);
  const packs = packsOf(rows, PERIOD, 'p', '1', 10);
  const label = fc.record({ id: fc.nat(69).map((n) => `p-${n}-0`), label: fc.constantFrom(0, 1) });
  const step = fc.oneof(
    fc.record({ pack: fc.nat(packs.length - 1) }),
    fc.record({ labels: fc.array(label, { maxLength: 12 }) }),
    fc.constantFrom('fold' as const, 'pack' as const),
  );
  const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
    await startOver();
    const recorded = new Set<number>();
    const labels = new Map<string, number>();
    for (const one of steps) {
      if (one === 'fold') await foldCounts(pool);
      else if (one === 'pack') await packCounts(pool);
      else if ('pack' in one) {
        await record(packs[one.pack] as (typeof packs)[0]);
        for (let at = one.pack * 10; at < one.pack * 10 + 10; at++) recorded.add(at);
      } else {
        await addLabels(labelStore(pool), one.labels, []);
        for (const each of one.labels) labels.set(each.id, each.label);
      }
    }
    for (const set of segmentSets(3)) expect(await bySegment(set)).toEqual(fromRows(rows, recorded, labels, set));
    await settle();
    for (const set of segmentSets(3)) expect(await bySegment(set)).toEqual(fromRows(rows, recorded, labels, set));
    expect(await differences()).toEqual([]);
  });
  await fc.assert(property, { numRuns: 10, seed: 16 });
});

test('through the recorder a segment where scores mean nothing is found by the policy; a spoilt count is found too', async () => {
  const rows = cases(3000, 42).map((row, index) =>
    row.job === null ? { ...row, label: ((index * 7919) % 2) as 0 | 1 } : row,
  );
  for (const pack of packsOf(rows, PERIOD, 's')) await record(pack);
  const labels = rows.map(({ label }, index) => ({ id: `s-${index}-0`, label }));
  await addLabels(labelStore(pool), labels, []);
  await settle();
  const policy = parsePolicy(
    `apiVersion: fairway.dev/v1
kind: Policy
model: ${MODEL}
period: { every: month, coverageFloor: 0.5 }
minimum: { rows: 100, events: 50, rowsPerBin: 10 }
rules:
  - { id: auc, metric: auc, op: '<', limit: 0.5, severity: alert }
segments:
  - { id: weak, of: [job], metric: auc, limit: 0.1, minimum: { rows: 100, events: 20 }, guard: { p: 0.01 }, severity: alert }
notify: { on: [] }
`,
    MODEL,
  );
  const counts = await windowCounts(pool, WINDOW);
  const verdict = judge({ window: WINDOW, counts, earlier: [], baseline: reference.baseline, policy, blob: 'b' });
  expect(verdict).toMatchObject({
    state: 'alert',
    segments: [{ where: { job: 'missing' }, metric: 'auc', labelled: rows.filter(({ job }) => job === null).length }],
  });
  // The same rows are those that lack an input, which can be asked for without knowing which one it is.
  const lacking = { ...policy, segments: policy.segments?.map((one) => ({ ...one, of: ['any-missing'] })) };
  const found = judge({
    window: WINDOW,
    counts,
    earlier: [],
    baseline: reference.baseline,
    policy: lacking,
    blob: 'b',
  });
  expect(found.segments).toMatchObject([
    { where: { 'any-missing': 'yes' }, labelled: verdict.segments?.[0]?.labelled },
  ]);
  expect(await differences()).toEqual([]);
  await pool.query(
    "update monitoring.profile_counts set count = count + 1 where ctid = (select min(ctid) from monitoring.profile_counts where variable = '$segment/0' and count > 0)",
  );
  expect(await differences()).toMatchObject([{ variable: '$segment/0' }]);
});

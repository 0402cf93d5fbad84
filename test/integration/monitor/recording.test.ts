import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { recount, sorted, stored } from './counts.ts';
import { baseline, type Case, cases, exchange, modelVersion, MODEL, pack, packsOf } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;

beforeAll(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
  // Recorder and monitor start at once.
  await Promise.all([migrate(pool), migrate(pool), migrate(pool)]);
});
afterAll(async () => {
  await pool.end();
  await database.stop();
});
beforeEach(async () => {
  await pool.query(
    'truncate monitoring.packs, monitoring.quarantined_packs, monitoring.pack_frames, monitoring.exchange_rows, monitoring.prediction_rows, monitoring.prediction_labels, monitoring.early_labels, monitoring.profile_counts, monitoring.score_counts, monitoring.appended_counts, monitoring.dirty_hours',
  );
});

const recorder = () => {
  const needs = { store: packStore(pool), references: async () => reference, log: silentLogger };
  return (one: Parameters<typeof recordPack>[1]) => recordPack(needs, one);
};
const expectExact = async () =>
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, reference.baseline)));

describe('a pack', () => {
  test('is stored once, however often it comes, from two recorders at once', async () => {
    const packs = packsOf(cases(1000, 2), PERIOD, 'a');
    const deliveries = [...packs, ...packs, ...packs.toReversed()];
    const [one, two] = [recorder(), recorder()];
    const outcomes = await Promise.all(deliveries.map((each, index) => (index % 2 === 0 ? one : two)(each)));
    expect(outcomes.filter(({ outcome }) => outcome === 'stored')).toHaveLength(packs.length);
    const account = await labelStore(pool).account(MODEL);
    expect(account).toEqual({
      stored: 1000,
      labelled: 0,
      quarantined: 0,
      exchanges: 1000,
      packs: 4,
      sampledOut: 0,
      dropped: {},
    });
    await expectExact();
  });

  test('that repeats exchanges of another pack adds only the new ones', async () => {
    const rows = cases(10, 3).map((row, index) =>
      exchange({ id: `x-${index}`, rows: [row], time: PERIOD.start }, index),
    );
    await recorder()(pack(rows.slice(0, 6), 0));
    expect(await recorder()(pack(rows.slice(4), 4))).toEqual({ outcome: 'stored', predictions: 4 });
    expect((await labelStore(pool).account(undefined)).stored).toBe(10);
    await expectExact();
  });

  test('that cannot be read is kept whole, with the reason', async () => {
    const torn = { ...pack([exchange({ id: 't', rows: cases(1, 4), time: PERIOD.start }, 0)], 0), payload: 'AAAA' };
    expect((await recorder()(torn)).outcome).toBe('quarantined');
    expect((await recorder()(torn)).outcome).toBe('quarantined');
    const { rows } = await pool.query('select reason, payload from monitoring.quarantined_packs');
    expect(rows).toEqual([{ reason: expect.stringContaining('header'), payload: 'AAAA' }]);
  });

  test('keeps failed and unreadable exchanges, faithful bytes and newest losses', async () => {
    const good = exchange({ id: 'good', rows: cases(2, 5), time: PERIOD.start }, 0);
    const failed = {
      ...exchange({ id: 'bad', rows: cases(1, 6), time: PERIOD.start }, 1),
      response: Buffer.from('{"error": "no \\u0000"}'),
    };
    const broken = {
      ...exchange({ id: 'odd', rows: cases(1, 6), time: 'yesterday' }, 2),
      request: Buffer.from([0xff, 0x00, 0x5c, 0x0a]),
    };
    await recorder()(
      pack([good, { ...failed, head: { ...failed.head, status: 400 } }, broken], 0, 'e', { ring_full: 2 }),
    );
    await recorder()(
      pack([exchange({ id: 'next', rows: cases(1, 7), time: PERIOD.start }, 3)], 3, 'e', {
        ring_full: 5,
        sampled_out: 7,
      }),
    );
    const { rows } = await pool.query(
      'select id, reason, request from monitoring.exchanges where reason is not null order by id',
    );
    expect(rows.map(({ id, reason }) => [id, reason])).toEqual([
      ['bad', 'status_400'],
      ['odd', 'time_unreadable'],
    ]);
    expect(rows[1].request).toEqual(Buffer.from([0xff, 0x00, 0x5c, 0x0a]));
    expect(await labelStore(pool).account(MODEL)).toEqual({
      stored: 3,
      labelled: 0,
      quarantined: 1,
      exchanges: 4,
      packs: 2,
      sampledOut: 7,
      dropped: { ring_full: 5 },
    });
    await expectExact();
  });

  test('keeps the probability and what was redacted, and counts no redacted variable', async () => {
    const [variable] = reference.baseline.variables.map(({ name }) => name);
    const [row, whole] = cases(2, 9);
    const redacted = { variables: [variable as string] };
    const some = exchange({ id: 'some', rows: [row as Case], time: PERIOD.start }, 0);
    const none = exchange({ id: 'none', rows: [whole as Case], time: PERIOD.start }, 1);
    const packed = pack(
      [
        { ...some, head: { ...some.head, sampling: 0.25, redacted } },
        { ...none, head: { ...none.head, redacted: { ...redacted, request: 'unparsable' } }, request: Buffer.alloc(0) },
      ],
      0,
    );
    expect(await recorder()(packed)).toEqual({ outcome: 'stored', predictions: 1 });
    const { rows } = await pool.query(
      "select id, reason, head->>'sampling' as sampling from monitoring.exchanges order by id",
    );
    expect(rows).toEqual([
      { id: 'none', reason: 'withheld_request_unparsable', sampling: null },
      { id: 'some', reason: null, sampling: '0.25' },
    ]);
    const counted = await pool.query<{ variable: string }>('select distinct variable from monitoring.profile_deltas');
    const names = reference.baseline.variables.map(({ name }) => name).filter((name) => name !== variable);
    expect(counted.rows.map((each) => each.variable).toSorted()).toEqual(names.toSorted());
  });

  test('of a version without baseline still counts rows, missing values and nothing else', async () => {
    const needs = { store: packStore(pool), references: async () => undefined, log: silentLogger };
    for (const each of packsOf(cases(200, 8), PERIOD, 'n')) await recordPack(needs, each);
    const { rows } = await pool.query('select distinct variable, bin from monitoring.profile_deltas');
    expect(rows).toEqual([{ variable: 'job', bin: -1 }]);
    expect((await labelStore(pool).account(MODEL)).stored).toBe(200);
  });
});

describe('labels', () => {
  const label = (id: string, value: 0 | 1) => ({ id, label: value });

  test('join late, early, by correlation id, corrected and repeated, each counted once', async () => {
    const store = labelStore(pool);
    const rows = cases(3, 9);
    const shot = (index: number) =>
      exchange(
        { id: `l-${index}`, rows: [rows[index] as (typeof rows)[0]], time: PERIOD.start, correlationId: `c-${index}` },
        index,
      );
    await recorder()(pack([shot(0), shot(1)], 0));
    expect(await addLabels(store, [label('l-0-0', 1), label('c-1', 0), label('c-2', 1)], [])).toEqual({
      joined: 2,
      early: 1,
      unchanged: 0,
      corrected: 0,
      refused: [],
    });
    expect(await addLabels(store, [label('c-0', 1), label('l-1-0', 1), label('c-2', 0), label('c-2', 0)], [])).toEqual({
      joined: 0,
      early: 0,
      unchanged: 2,
      corrected: 2,
      refused: [],
    });
    await recorder()(pack([shot(2)], 2));
    const { rows: found } = await pool.query('select id, label from monitoring.predictions order by id');
    expect(found).toEqual([
      { id: 'l-0-0', label: 1 },
      { id: 'l-1-0', label: 1 },
      { id: 'l-2-0', label: 0 },
    ]);
    await expectExact();
  });

  test('for a correlation id that several predictions share are refused with the mend', async () => {
    await recorder()(
      pack([exchange({ id: 'm', rows: cases(3, 10), time: PERIOD.start, correlationId: 'many' }, 0)], 0),
    );
    const { refused } = await addLabels(labelStore(pool), [label('many', 1)], []);
    expect(refused).toEqual([{ id: 'many', reason: expect.stringContaining('3 predictions; use prediction ids') }]);
  });

  test('and predictions that arrive in the same moment find each other', async () => {
    const packs = packsOf(cases(400, 11), PERIOD, 'r', '1', 20);
    const store = labelStore(pool);
    const labels = Array.from({ length: 400 }, (_, index) => label(`r-${index}-0`, index % 2 === 0 ? 1 : 0));
    await Promise.all([
      ...packs.map(recorder()),
      ...Array.from({ length: 20 }, (_, at) => addLabels(store, labels.slice(at * 20, at * 20 + 20), [])),
    ]);
    expect((await store.account(MODEL)).labelled).toBe(400);
    expect((await pool.query('select 1 from monitoring.early_labels')).rowCount).toBe(0);
    await expectExact();
  });

  test('ten thousand in one request are all booked', async () => {
    for (const each of packsOf(cases(10_000, 12), PERIOD, 'b', '1', 1000)) await recorder()(each);
    const labels = Array.from({ length: 10_000 }, (_, index) => label(`b-${index}-0`, index % 5 === 0 ? 1 : 0));
    expect((await addLabels(labelStore(pool), labels, [])).joined).toBe(10_000);
    await expectExact();
  });
});

test('counts equal a recount of the rows after any sequence of packs and labels', async () => {
  const packs = packsOf(cases(60, 13), PERIOD, 'p', '1', 10);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('pack' as const), pack: fc.nat(packs.length - 1) }),
    fc.record({
      kind: fc.constant('labels' as const),
      labels: fc.array(
        fc.record({ id: fc.nat(69).map((n) => `p-${n}-0`), label: fc.constantFrom(0 as const, 1 as const) }),
        { maxLength: 12 },
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.boolean(), async (steps, atOnce) => {
      await pool.query(
        'truncate monitoring.packs, monitoring.quarantined_packs, monitoring.pack_frames, monitoring.exchange_rows, monitoring.prediction_rows, monitoring.prediction_labels, monitoring.early_labels, monitoring.profile_counts, monitoring.score_counts, monitoring.appended_counts, monitoring.dirty_hours',
      );
      const record = recorder();
      const run = (one: (typeof steps)[number]) =>
        one.kind === 'pack'
          ? record(packs[one.pack] as (typeof packs)[0])
          : addLabels(labelStore(pool), one.labels, []);
      if (atOnce) await Promise.all(steps.map(run));
      else for (const one of steps) await run(one);
      await expectExact();
      const seen = new Set(
        steps.filter((one) => one.kind === 'pack').map((one) => (one.kind === 'pack' ? one.pack : -1)),
      );
      expect((await labelStore(pool).account(undefined)).stored).toBe(seen.size * 10);
    }),
    { numRuns: 25 },
  );
});

import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { silentLogger, timedId } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expireLabels } from '../../../packages/monitor/src/app/labels-expiry.ts';
import { addLabels } from '../../../packages/monitor/src/app/labels.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { labelStore } from '../../../packages/monitor/src/store/label-store.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { type Monitoring, startMonitoring } from './database.ts';
import { recount, sorted, stored } from './counts.ts';
import { baseline, type Case, cases, exchange, MODEL, modelVersion, pack } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const START = Date.parse('2025-01-01T00:00:00.000Z');
const NONE = { joined: 0, early: 0, unchanged: 0, corrected: 0, refused: [] };

let database: Monitoring;
let pool: Pool;
let store: ReturnType<typeof labelStore>;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
  store = labelStore(pool);
});
afterAll(() => database.stop());
const empty = () =>
  pool.query(
    'truncate monitoring.packs, monitoring.quarantined_packs, monitoring.quarantined_exchanges, monitoring.pack_frames, monitoring.exchange_rows, monitoring.prediction_rows, monitoring.prediction_labels, monitoring.early_labels, monitoring.label_history, monitoring.label_totals, monitoring.profile_counts, monitoring.score_counts, monitoring.appended_counts, monitoring.dirty_hours, monitoring.undated_predictions',
  );
beforeEach(empty);

/** Ids as the agent gives them, over three days. */
const idOf = (index: number) =>
  timedId(START + index * 9_000_000, `${String(index).padStart(3, '0')}${'ab'.repeat(12)}`);
const shot = (index: number, rows: readonly Case[], correlationId?: string) =>
  exchange(
    {
      id: idOf(index),
      rows,
      time: new Date(START + index * 9_000_000).toISOString(),
      ...(correlationId === undefined ? {} : { correlationId }),
    },
    index,
  );
const record = (one: Parameters<typeof recordPack>[1]) =>
  recordPack({ store: packStore(pool), references: async () => reference, log: silentLogger }, one);
const expectExact = async () =>
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, reference.baseline)));
const labelsOf = async () =>
  (
    await pool.query<{ id: string; label: number }>('select id, label from monitoring.predictions order by id')
  ).rows.map(({ label }) => label);

describe('a label', () => {
  test('finds its prediction by prediction id, exchange id or correlation id, on whatever day', async () => {
    const [a, b, c] = cases(3, 2) as [Case, Case, Case];
    await record(pack([shot(0, [a]), shot(9, [b], 'loan-9'), shot(20, [c], 'loan-20')], 1));
    const given = [
      { id: `${idOf(0)}-0`, label: 1 as const },
      { id: idOf(9), label: 0 as const },
      { id: 'loan-20', label: 1 as const, by: 'correlation' as const },
    ];
    expect(await addLabels(store, given, [])).toEqual({ ...NONE, joined: 3 });
    expect(await labelsOf()).toEqual([1, 0, 1]);
    expect(await addLabels(store, given, [])).toEqual({ ...NONE, unchanged: 3 });
    await expectExact();
  });

  test('finds predictions whose ids name no day, by prediction id or by the id of an exchange that holds one', async () => {
    const [a, b, c] = cases(3, 10) as [Case, Case, Case];
    const undated = (id: string, index: number, rows: readonly Case[]) => {
      const one = shot(index, rows);
      return { ...one, head: { ...one.head, id } };
    };
    const several = undated('batch-7', 2, cases(3, 11));
    // The prediction of `call` has the same id as the exchange `call-0`.
    const packed = pack([undated('call', 0, [a]), undated('call-0', 1, [b]), several, undated('loan', 3, [c])], 1);
    await record(packed);
    const given = ['call', 'call-0-0', 'batch-7', 'batch-7-2', 'loan'].map((id) => ({ id, label: 1 as const }));
    const refused = [
      { id: 'batch-7', reason: 'this exchange holds 3 predictions; use prediction ids, batch-7-0 and so on' },
    ];
    expect(await addLabels(store, [...given, { id: 'call-0', label: 1 }], [])).toMatchObject({
      early: 0,
      corrected: 0,
      refused,
    });
    const { rows } = await pool.query('select id from monitoring.prediction_labels order by id');
    expect(rows.map(({ id }) => id)).toEqual(['batch-7-2', 'call-0', 'call-0-0', 'loan-0']);
    expect(await store.waiting()).toEqual({ waiting: 0, expired: 0 });
    await expectExact();
  });

  test('by a key that stands for several predictions, or for none, is refused with the mend', async () => {
    const failed = shot(1, cases(1, 3));
    await record(
      pack(
        [shot(0, cases(3, 3)), { ...failed, head: { ...failed.head, status: 500 } }, shot(2, cases(12, 4), 'retry')],
        1,
      ),
    );
    const given = [idOf(0), idOf(1), 'retry'].map((id) => ({ id, label: 1 as const }));
    expect(await addLabels(store, given, [])).toEqual({
      ...NONE,
      refused: [
        { id: idOf(0), reason: expect.stringContaining(`3 predictions; use prediction ids, ${idOf(0)}-0`) },
        { id: idOf(1), reason: 'this exchange holds no prediction (status_500)' },
        { id: 'retry', reason: 'this correlation id belongs to at least 10 predictions; use prediction ids' },
      ],
    });
  });

  test('that comes before its prediction waits for it, whatever key it has', async () => {
    const [a, b, c] = cases(3, 5) as [Case, Case, Case];
    const given = [`${idOf(0)}-0`, idOf(1), 'loan-2'].map((id) => ({ id, label: 1 as const }));
    expect(await addLabels(store, given, [])).toEqual({ ...NONE, early: 3 });
    expect(await store.waiting()).toEqual({ waiting: 3, expired: 0 });
    await record(pack([shot(0, [a]), shot(1, [b]), shot(2, [c], 'loan-2')], 1));
    expect(await labelsOf()).toEqual([1, 1, 1]);
    expect(await store.waiting()).toEqual({ waiting: 0, expired: 0 });
    await expectExact();
  });

  test('that is corrected leaves what it replaced, when, and who said so', async () => {
    await record(pack([shot(0, cases(1, 6))], 1));
    const id = `${idOf(0)}-0`;
    await addLabels(store, [{ id, label: 0, observedAt: '2025-02-01T00:00:00Z' }], []);
    await addLabels(store, [{ id, label: 1 }], [], 'collections export');
    await addLabels(store, [{ id: 'waits', label: 0 }], []);
    await addLabels(store, [{ id: 'waits', label: 1 }], []);
    const { rows } = await pool.query(
      'select key, day::text, old_label, old_observed_at, label, observed_at, source from monitoring.label_history order by number',
    );
    expect(rows).toEqual([
      {
        key: id,
        day: '2025-01-01',
        old_label: 0,
        old_observed_at: new Date('2025-02-01T00:00:00Z'),
        label: 1,
        observed_at: null,
        source: 'collections export',
      },
      { key: 'waits', day: null, old_label: 0, old_observed_at: null, label: 1, observed_at: null, source: 'api' },
    ]);
    await expectExact();
  });

  test('whose prediction never comes is given up after its time, and counted', async () => {
    const labels = Array.from({ length: 30 }, (_, index) => ({ id: `never-${index}`, label: 0 as const }));
    await addLabels(store, labels, []);
    await pool.query(
      "update monitoring.early_labels set received_at = now() - interval '31 days' where key < 'never-2'",
    );
    const { rowCount } = await pool.query("select from monitoring.early_labels where key < 'never-2'");
    expect(await expireLabels(store, 30)).toBe(false);
    expect(await store.waiting()).toEqual({ waiting: 30 - Number(rowCount), expired: rowCount });
  });
});

test('packs are recorded while labels that have predictions are booked', async () => {
  await record(pack([shot(0, cases(1, 7))], 1));
  let booking: (() => void) | undefined;
  const inside = new Promise<void>((resolve) => (booking = resolve));
  let recorded: (() => void) | undefined;
  const done = new Promise<void>((resolve) => (recorded = resolve));
  const held = store.transaction('packs', async (transaction) => {
    await transaction.byId([{ id: `${idOf(0)}-0`, day: '2025-01-01' }]);
    booking?.();
    await done;
  });
  await inside;
  // It would wait for ever if it needed the transaction that is open to end.
  expect((await record(pack([shot(1, cases(1, 8))], 2))).outcome).toBe('stored');
  recorded?.();
  await held;
});

test('labels and packs that race join exactly once, and counts equal a recount', async () => {
  const rows = cases(40, 9);
  const shots = rows.map((row, index) => shot(index, [row], `c-${index}`));
  const packs = Array.from({ length: 8 }, (_, at) => pack(shots.slice(at * 5, at * 5 + 5), at * 5 + 1));
  const key = fc.record({ index: fc.nat(44), form: fc.constantFrom('prediction', 'exchange', 'correlation') });
  const label = fc.record({ key, label: fc.constantFrom(0 as const, 1 as const) });
  const step = fc.oneof(
    fc.record({ pack: fc.nat(packs.length - 1) }),
    fc.record({ labels: fc.array(label, { minLength: 1, maxLength: 20 }) }),
  );
  const named = ({ index, form }: { index: number; form: string }) =>
    form === 'prediction' ? `${idOf(index)}-0` : form === 'exchange' ? idOf(index) : `c-${index}`;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
      await empty();
      const outcomes = await Promise.all(
        steps.map(async (one) => {
          if ('pack' in one) return (await record(packs[one.pack] as (typeof packs)[0])).predictions;
          await addLabels(
            store,
            one.labels.map(({ key: to, label: value }) => ({ id: named(to), label: value })),
            [],
          );
          return 0;
        }),
      );
      await expectExact();
      const labelled = new Set(
        steps.flatMap((one) => ('labels' in one ? one.labels.map(({ key: to }) => to.index) : [])),
      );
      const recorded = new Set(steps.flatMap((one) => ('pack' in one ? [one.pack] : [])));
      expect(outcomes.reduce((sum, count) => sum + count, 0)).toBe(recorded.size * 5);
      const wanted = [...labelled].filter((index) => recorded.has(Math.floor(index / 5)) && index < 40);
      expect((await store.account(MODEL)).labelled).toBe(wanted.length);
      const waiting = await pool.query<{ key: string }>('select key from monitoring.early_labels');
      const found = new Set(wanted.flatMap((index) => [`${idOf(index)}-0`, idOf(index), `c-${index}`]));
      expect(waiting.rows.filter(({ key: left }) => found.has(left))).toEqual([]);
    }),
    { numRuns: 25, seed: 20_261_122 },
  );
});

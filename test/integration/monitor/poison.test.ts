import { gzipSync } from 'node:zlib';
import type { Pool } from 'pg';
import { encodeExchange, type Exchange, type Pack, silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { type Monitoring, startMonitoring } from './database.ts';
import { recount, sorted, stored } from './counts.ts';
import { baseline, cases, exchange, modelVersion, pack } from './support.ts';

const reference = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };
const TIME = '2025-01-01T00:00:00.000Z';

let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(() => database.stop());
beforeEach(async () => {
  await pool.query(
    'truncate monitoring.packs, monitoring.quarantined_packs, monitoring.quarantined_exchanges, monitoring.pack_frames, monitoring.exchange_rows, monitoring.prediction_rows, monitoring.prediction_labels, monitoring.profile_counts, monitoring.score_counts, monitoring.appended_counts, monitoring.dirty_hours',
  );
});

const recordInto = (one: Pack) =>
  recordPack({ store: packStore(pool), references: async () => reference, log: silentLogger }, one);
const record = (exchanges: readonly Exchange[]) => recordInto(pack(exchanges, 0));

const healthy = (prefix: string, count: number): Exchange[] =>
  cases(count, 7).map((row, index) => exchange({ id: `${prefix}-${index}`, rows: [row], time: TIME }, index));

const [sample] = healthy('sample', 1) as [Exchange];
const asking = (id: string, request: string | Buffer): Exchange => ({
  ...sample,
  head: { ...sample.head, id },
  request: Buffer.from(request as string),
});
const headed = (id: string, head: object): Exchange => ({ ...sample, head: { ...sample.head, id, ...head } });

const expectExact = async () =>
  expect(sorted(await stored(pool))).toEqual(sorted(await recount(pool, reference.baseline)));

/** What a TensorFlow Serving may be asked, and PostgreSQL or JSON.parse refuse or change (capture reference §7). */
const BODIES: Readonly<Record<string, string | Buffer>> = {
  nan: '{"instances": [{"income": NaN, "job": "Sales"}]}',
  infinity: '{"instances": [{"income": -Infinity, "job": "Sales"}]}',
  'nul-escape': '{"instances": [{"income": 1, "job": "a\\u0000b"}]}',
  'nul-key': '{"instances": [{"income": 1, "jo\\u0000b": "a"}]}',
  surrogate: '{"instances": [{"income": 1, "job": "\\ud800"}]}',
  'raw-nul': '{"instances": [{"income": 1, "job": "a\0b"}]}',
  'bad-utf8': Buffer.from([
    ...Buffer.from('{"instances": [{"income": 1, "job": "'),
    0xff,
    0xfe,
    ...Buffer.from('"}]}'),
  ]),
  bom: '\uFEFF{"instances": [{"income": 1, "job": "Sales"}]}',
  empty: '',
  trailing: '{"instances": [{"income": 1, "job": "Sales"}]} and more',
  int64: '{"instances": [{"income": 9007199254740993, "job": "Sales"}]}',
  'minus-zero': '{"instances": [{"income": -0, "job": "Sales"}]}',
  'beyond-double': '{"instances": [{"income": 1e400, "job": "Sales"}]}',
  'beyond-numeric': '{"instances": [{"income": 1e200000, "job": "Sales"}]}',
  duplicate: '{"instances": [{"income": 1, "income": 2, "job": "Sales"}]}',
  deep: `{"instances": [${'['.repeat(7_000)}1${']'.repeat(7_000)}]}`,
  'very-deep': `{"instances": [${'['.repeat(100_000)}1${']'.repeat(100_000)}]}`,
};

/** Heads that no column takes: each must cost its exchange alone. */
const HEADS: Readonly<Record<string, object>> = {
  'status-beyond-int4': { status: 99_999_999_999 },
  'status-fraction': { status: 200.5, outcome: 'upstream_aborted' },
  'latency-text': { latencyMs: 'fast' },
  'version-source-nul': { versionSource: 'a\0b' },
  'environment-number': { environment: 7 },
};

/** A frame whose head holds `more` as well, which JSON.stringify could not write. */
function framed(id: string, more: string): Buffer {
  const { head, request, response } = headed(id, {});
  const text = Buffer.from(`${JSON.stringify(head).slice(0, -1)},${more}}`);
  return Buffer.concat([text, request, response].flatMap((part) => [length(part), Buffer.from(part)]));
}

function length({ length }: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

describe('poison', () => {
  test.each(Object.entries(BODIES))('%s in a body costs no other row, and its bytes are kept', async (id, body) => {
    const around = healthy('h', 6);
    const poison = asking(id, body);
    const { outcome } = await record([...around.slice(0, 3), poison, ...around.slice(3)]);
    expect(outcome).toBe('stored');
    const { rows } = await pool.query('select id, request, instances, reason from monitoring.exchanges where id = $1', [
      id,
    ]);
    expect(rows).toHaveLength(1);
    expect(rows[0].request).toEqual(poison.request);
    expect(rows[0].instances > 0).toBe(rows[0].reason === null);
    const others = await pool.query('select id from monitoring.predictions where exchange <> $1', [id]);
    expect(others.rowCount).toBe(6);
  });

  test.each(Object.entries(HEADS))('%s in a head is put into quarantine alone, as bytes', async (id, head) => {
    const around = healthy('h', 6);
    expect(await record([...around.slice(0, 3), headed(id, head), ...around.slice(3)])).toEqual({
      outcome: 'stored',
      predictions: 6,
    });
    const { rows } = await pool.query('select position, reason, frame from monitoring.quarantined_exchanges');
    expect(rows).toHaveLength(1);
    expect(rows[0].position).toBe(3);
    expect(rows[0].reason).toMatch(/\S/);
    expect(rows[0].frame.includes(Buffer.from(`"id":"${id}"`))).toBe(true);
    const ledger = await pool.query('select exchanges, stored, quarantined from monitoring.packs');
    expect(ledger.rows).toEqual([{ exchanges: 7, stored: 6, quarantined: 1 }]);
    await expectExact();
  });

  test('a correlation id that no index of text would take is stored', async () => {
    const correlationId = Array.from({ length: 4000 }, (_, i) => (i * i * 31) % 7919).join('/');
    expect(await record([headed('long', { correlationId })])).toEqual({ outcome: 'stored', predictions: 1 });
    const { rows } = await pool.query('select correlation_id from monitoring.predictions');
    expect(rows).toEqual([{ correlation_id: correlationId }]);
  });

  test('a head that is no JSON costs its exchange alone; one nested deeper than PostgreSQL reads (54001) is kept as bytes', async () => {
    const around = healthy('h', 4);
    const deep = framed('deep', `"x":${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    const frames = [...around.map(encodeExchange), deep, framed('torn', '"x":')];
    const made = pack([...around, sample, sample], 0);
    const payload = gzipSync(Buffer.concat(frames)).toString('base64');
    expect(await recordInto({ ...made, payload })).toEqual({ outcome: 'stored', predictions: 5 });
    const { rows } = await pool.query('select position, frame from monitoring.quarantined_exchanges order by position');
    expect(rows).toEqual([{ position: 5, frame: frames[5] }]);
    const kept = await pool.query(`
      select e.head, e.request, monitoring.frame_part(p.day, p.pack, p.position, 1) as bytes
      from monitoring.exchanges e join monitoring.prediction_rows p on p.day = e.day and p.id = e.id || '-0'
      where e.id = 'deep'`);
    const size = deep.readUInt32BE(0);
    expect(kept.rows).toEqual([{ head: null, request: sample.request, bytes: deep.subarray(4, 4 + size) }]);
  });

  test('more bad exchanges than are named one by one are found by halves; all others are stored', async () => {
    const around = healthy('h', 60);
    const bad = Array.from({ length: 14 }, (_, index) => headed(`bad-${index}`, { status: 99_999_999_999 }));
    const mixed = around.flatMap((each, index) =>
      index % 4 === 0 && bad.length > 0 ? [each, bad.pop() as Exchange] : [each],
    );
    expect(await record(mixed)).toEqual({ outcome: 'stored', predictions: 60 });
    const { rows } = await pool.query('select count(*)::int as bad from monitoring.quarantined_exchanges');
    expect(rows).toEqual([{ bad: 14 }]);
    expect(await record(mixed)).toEqual({ outcome: 'known', predictions: 0 });
    await expectExact();
  });
});

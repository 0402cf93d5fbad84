import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import type { Mark, RawExchange, SeenExchange } from '../ports.ts';
import { createTally } from '../tally.ts';
import { Handover } from './handover.ts';
import { Allowance } from './pace.ts';
import { lostAt, RecordReader, roomFor, writeRecord } from './record.ts';
import { ringMemory, type RingMemory, RingReader, RingWriter, ringViews } from './ring.ts';
import { Taker } from './taker.ts';

afterEach(() => {
  vi.useRealTimers();
});

const SMALL = 4096;
/** The smallest ring that heads of any size fit into. */
const RING = ringMemory(0, SMALL).bytes.byteLength;
const LARGEST = 60_000;

const seen = (id: string, bytes = 10): SeenExchange => ({
  id,
  route: { model: 'm' },
  method: 'POST',
  target: '/v1/models/m:predict',
  status: 200,
  outcome: 'complete',
  at: 1,
  startedAt: 2,
  endedAt: 3,
  correlationId: undefined,
  eventTime: undefined,
  requestEncoding: undefined,
  request: [Buffer.alloc(bytes, 'a'), Buffer.alloc(1, 'b')],
  requestLength: bytes + 1,
  response: Buffer.alloc(0),
  responseLength: 0,
  truncated: false,
});

function setUp(memory: RingMemory = ringMemory(0, SMALL), sampling = 1) {
  const hop = createTally();
  let woken = 0;
  const told: string[] = [];
  const handover = new Handover(
    { sampling },
    {
      tally: hop,
      ids: () => 'id',
      isSampled: (id) => id !== 'out',
      wake: () => void woken++,
      allowance: new Allowance(() => 0, 4000),
      reach: (epoch, taken) => ({
        reach: (seq) => void told.push(`${epoch} ${seq}, ${taken()} taken`),
        end: () => void told.push(`${epoch} ended`),
      }),
    },
    { epoch: 'e1', memory },
  );
  const taken: Array<{ id: string; seq: number }> = [];
  const marks: Mark[] = [];
  const own = createTally();
  const taker = new Taker(memory, {
    spool: { commit: (mark) => void (mark && marks.push(mark)) },
    take: ({ id }, seq) => void taken.push({ id, seq }),
    tally: own,
  });
  return { handover, hop, taker, taken, marks, told, own, woken: () => woken };
}

const optional = (unit: 'binary' | 'grapheme') => fc.option(fc.string({ unit, maxLength: 20 }), { nil: undefined });
const exchange: fc.Arbitrary<RawExchange> = fc
  .record({
    id: fc.string(),
    route: fc.record({ model: fc.string({ unit: 'grapheme' }) }),
    version: optional('grapheme'),
    method: fc.constantFrom('POST', 'GET'),
    target: fc.string(),
    status: fc.nat(999),
    outcome: fc.constantFrom('complete' as const, 'client_aborted' as const, 'upstream_aborted' as const),
    at: fc.nat(),
    startedAt: fc.double({ noNaN: true }),
    endedAt: fc.double({ noNaN: true }),
    correlationId: optional('grapheme'),
    eventTime: optional('grapheme'),
    requestEncoding: optional('grapheme'),
    request: fc.uint8Array({ maxLength: 50 }),
    requestLength: fc.nat(),
    response: fc.uint8Array({ maxLength: 50 }),
    responseLength: fc.nat(),
    truncated: fc.boolean(),
    grpcStatus: fc.option(fc.nat(16), { nil: undefined }),
    answered: optional('grapheme'),
  })
  .map(({ version, grpcStatus, answered, route, ...rest }) => ({
    ...rest,
    route: version === undefined ? route : { ...route, version },
    ...(grpcStatus === undefined ? {} : { protocol: 'grpc' as const, grpcStatus }),
    ...(answered === undefined ? {} : { answered }),
  }));

test('what goes into the ring comes out of it, whatever came before', () => {
  const views = ringViews(ringMemory(0, SMALL));
  const property = fc.property(fc.array(exchange, { minLength: 1, maxLength: 4 }), fc.nat(20), (exchanges, place) => {
    const reader = new RecordReader(views);
    const at = place * 8;
    // The next one is of the same texts in another order, or split at another place, or the same but for its id.
    const alike = ({ method, target, ...rest }: (typeof exchanges)[number]) => [
      { ...rest, method, target },
      { ...rest, method, target, id: `${rest.id}+` },
      { ...rest, method: method + target, target: '' },
    ];
    for (const raw of exchanges.flatMap(alike)) {
      writeRecord(views, at, raw, 7, [1, 2]);
      const taken = reader.read(at);
      const { request, response, ...head } = taken.raw;
      const { request: asked, response: told, ...rest } = raw;
      expect(head).toEqual(rest);
      expect([Buffer.compare(request, asked), Buffer.compare(response, told)]).toEqual([0, 0]);
      expect(taken.seq).toBe(7);
      expect(lostAt(views, at)).toEqual([1, 2]);
      expect(roomFor(raw)).toBeLessThan(SMALL);
    }
  });
  fc.assert(property);
});

/** A size: a record of it is written. Otherwise what is read and released: all that waits, or one record. */
const step = fc.oneof(fc.integer({ min: 1, max: LARGEST }), fc.constantFrom('all' as const, 'one' as const));

test('records of any size come in order, round after round, and a full ring refuses', () => {
  const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const memory = ringMemory(0, SMALL);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    const waiting: number[] = [];
    for (const size of steps) {
      if (typeof size === 'number') {
        const at = writer.claim(size);
        const held = waiting.reduce((sum, one) => sum + one + 16, 0);
        if (at < 0) expect(held + 2 * (size + 16) + LARGEST).toBeGreaterThan(RING);
        else {
          writer.views.bytes.fill(size % 256, at, at + size);
          writer.publish(at);
          waiting.push(size);
        }
        continue;
      }
      for (const expected of waiting.splice(0, size === 'one' ? 1 : waiting.length)) {
        const at = reader.next();
        const bytes = reader.views.bytes.subarray(at, at + expected);
        expect(bytes.equals(Buffer.alloc(expected, expected % 256))).toBe(true);
      }
      if (waiting.length === 0) expect(reader.next()).toBe(-1);
      reader.release();
    }
  });
  fc.assert(property, { numRuns: 500 });
});

test('an empty ring begins at its front again, and only that one', () => {
  const memory = ringMemory(0, SMALL);
  const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
  const write = () => {
    const at = writer.claim(100);
    writer.publish(at);
    return at;
  };
  const first = write();
  const second = write();
  expect(second).toBeGreaterThan(first);
  expect([reader.next(), reader.next(), reader.next()]).toEqual([first, second, -1]);
  // What was read and not released is the reader's still.
  const third = write();
  expect(third).toBeGreaterThan(second);
  expect(reader.next()).toBe(third);
  reader.release();
  expect([write(), reader.next()]).toEqual([first, first]);
});

test('the sample gets numbers without gaps, the rest is counted, and a full ring shows as a gap with its reason', () => {
  const { handover, hop, taker, taken, marks } = setUp(ringMemory(0, SMALL), 0.5);
  for (const id of ['a', 'out', 'b']) handover.completed(seen(id));
  handover.completed(seen('huge', RING));
  handover.missed('unframed');
  handover.completed(seen('c'));
  taker.stop();
  expect(taken).toEqual([
    { id: 'a', seq: 1 },
    { id: 'b', seq: 2 },
    { id: 'c', seq: 5 },
  ]);
  expect(hop).toMatchObject({ captured: 6, sampledOut: 1, dropped: { ring_full: 1, unframed: 1 } });
  expect(taker.losses()).toEqual({ ring_full: 1, unframed: 1, sampled_out: 1 });
  // In order: nothing more is expected than was taken.
  expect(marks.at(-1)).toEqual({ high: 5, taken: 5, dropped: { ring_full: 1, unframed: 1, sampled_out: 1 } });
});

test('a large body has room while the ring has, and by its allowance where the reader is short of the processor', () => {
  const { handover, hop, taker } = setUp(ringMemory(0, SMALL), 0.5);
  expect([handover.hasRoom(RING), handover.hasRoom(RING + 1)]).toEqual([true, false]);
  taker.isShort(true);
  expect([handover.hasRoom(600), handover.hasRoom(600), handover.hasRoom(400)]).toEqual([true, false, true]);
  taker.isShort(false);
  expect(handover.hasRoom(600)).toBe(true);
  for (const id of ['a', 'out']) handover.missed('ring_full', id);
  expect(hop).toMatchObject({ captured: 2, sampledOut: 1, dropped: { ring_full: 1 } });
});

test('a mark says how far is taken, and the hop itself how far it has counted', () => {
  const { handover, taker, marks, told, woken } = setUp();
  taker.start();
  expect(marks).toEqual([{ high: 0, taken: 0, dropped: {} }]);
  handover.completed(seen('a'));
  handover.completed(seen('b'));
  taker.wake();
  expect(marks.at(-1)).toEqual({ high: 2, taken: 2, dropped: {} });
  handover.missed('unframed');
  taker.wake();
  expect(marks.at(-1)).toEqual({ high: 3, taken: 2, dropped: {} });
  // Nothing came: nothing is to be said.
  taker.wake();
  expect(marks).toHaveLength(3);
  expect(told).toEqual(['e1 1, 0 taken', 'e1 2, 0 taken', 'e1 3, 2 taken']);
  expect(woken()).toBe(0);
  taker.stop();
});

test('a reader that sleeps is woken once', async () => {
  vi.useFakeTimers();
  const { handover, taker, taken, woken } = setUp();
  taker.start();
  await vi.advanceTimersByTimeAsync(5000);
  handover.completed(seen('a'));
  handover.completed(seen('b'));
  expect([woken(), taken.length]).toEqual([1, 0]);
  taker.wake();
  expect(taken).toHaveLength(2);
  taker.stop();
});

test('a new epoch counts anew in its own ring, and tells how far the last one came', () => {
  const { handover, hop, taker, taken, told } = setUp();
  handover.completed(seen('a'));
  handover.missed('unframed');
  const next = ringMemory(0, SMALL);
  expect(handover.begin({ epoch: 'e2', memory: next })).toBe(2);
  handover.completed(seen('b'));
  expect(hop).toMatchObject({ captured: 1, dropped: {} });
  expect(told).toEqual(['e1 1, 0 taken', 'e1 2, 0 taken', 'e1 ended', 'e2 1, 0 taken']);
  const heir = setUp(next);
  heir.taker.stop();
  expect(heir.taken).toEqual([{ id: 'b', seq: 1 }]);
  taker.stop();
  expect(taken).toEqual([{ id: 'a', seq: 1 }]);
});

test('the ring takes the largest exchange that the caps allow', () => {
  for (const cap of [1024, 1024 * 1024, 16 * 1024 * 1024]) {
    const { bytes } = ringMemory(cap);
    expect(bytes.byteLength / 2).toBeGreaterThanOrEqual(2 * cap);
    expect(Math.log2(bytes.byteLength) % 1).toBe(0);
  }
});

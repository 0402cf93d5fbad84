import { decodeExchanges, type Exchange } from '@fairway/core';
import { expect, test } from 'vitest';
import { Deferred } from '../privacy/deferred.ts';
import { isSampled } from '../privacy/sampling.ts';
import type { RawExchange, SpoolRecord } from '../ports.ts';
import { createTally } from '../tally.ts';
import { Capturer } from './capturer.ts';
import { VersionHistory } from './versions.ts';

const raw = (id: string, bytes = 1): RawExchange => ({
  id,
  route: { model: 'm', version: '1' },
  method: 'POST',
  target: '/v1/models/m/versions/1:predict',
  status: 200,
  outcome: 'complete',
  at: 0,
  startedAt: 0,
  endedAt: 1,
  correlationId: undefined,
  eventTime: undefined,
  requestEncoding: undefined,
  request: Buffer.alloc(bytes),
  requestLength: bytes,
  response: Buffer.alloc(0),
  responseLength: 0,
  truncated: bytes > 1,
});

function setUp({ sampling = 1, redact }: { sampling?: number; redact?: (exchange: Exchange) => Exchange } = {}) {
  const tally = createTally();
  const records: SpoolRecord[] = [];
  const later = new Deferred({ now: () => 0, monotonic: () => 0 }, tally);
  const capturer = new Capturer(
    { model: 'm', environment: 'dev', trustEventTime: false, sampling },
    {
      spool: { offer: (record) => void records.push(record) },
      versions: new VersionHistory(),
      tally,
      ids: () => 'id',
      isSampled,
      redaction: redact && { later, redact },
    },
  );
  const heads = () => records.flatMap(({ bytes }) => decodeExchanges(bytes)).map(({ head }) => head);
  return { capturer, tally, records, later, heads };
}

test('the sample has numbers without gaps and its probability; the rest is counted', () => {
  const { capturer, tally, heads } = setUp({ sampling: 0.2 });
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) capturer.completed(raw(id));
  expect(heads()).toMatchObject([
    { id: 'c', seq: 1, sampling: 0.2 },
    { id: 'd', seq: 2, sampling: 0.2 },
    { id: 'f', seq: 3, sampling: 0.2 },
  ]);
  expect(tally).toMatchObject({ captured: 6, sampledOut: 3, dropped: {} });
});

test('a cut body is counted, and all of them have no probability', () => {
  const { capturer, tally, heads } = setUp();
  capturer.completed(raw('a', 2));
  expect([tally.truncated, heads()[0]?.truncated]).toEqual([1, true]);
  expect(heads()[0]).not.toHaveProperty('sampling');
});

test('redaction comes before the spool, after the hop, and in order', async () => {
  const { capturer, tally, records, heads } = setUp({
    redact: (exchange) => ({ ...exchange, request: Buffer.alloc(0) }),
  });
  for (const id of ['a', 'b', 'c']) capturer.completed(raw(id));
  expect([records.length, tally.redacting]).toEqual([0, 3]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(heads().map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(tally).toMatchObject({ captured: 3, redacting: 0, dropped: {} });
});

test('what waits is bounded by count and by bytes, drained at stop, and done at once afterwards', () => {
  const many = setUp({ redact: (exchange) => exchange });
  for (let i = 0; i < 1005; i++) many.capturer.completed(raw('a'));
  expect(many.tally).toMatchObject({ captured: 1005, redacting: 1000, dropped: { redaction_full: 5 } });
  many.later.stop();
  expect([many.records.length, many.tally.redacting]).toEqual([1000, 0]);
  many.capturer.completed(raw('a'));
  expect(many.records.length).toBe(1001);

  const large = setUp({ redact: (exchange) => exchange });
  for (let i = 0; i < 5; i++) large.capturer.completed(raw('a', 4 * 1024 * 1024));
  expect(large.tally).toMatchObject({ redacting: 4, dropped: { redaction_full: 1 } });
});

test('a redaction that throws drops its exchange, counted, and the next goes on', () => {
  const { capturer, tally, later, records } = setUp({
    redact: (exchange) => {
      if (exchange.head.id === 'a') throw new Error('broken');
      return exchange;
    },
  });
  capturer.completed(raw('a'));
  capturer.completed(raw('b'));
  later.stop();
  expect([records.length, tally.dropped, tally.captureErrors]).toEqual([1, { spool_error: 1 }, 1]);
});

import { decodeExchanges, type Exchange } from '@fairway/core';
import { expect, test } from 'vitest';
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
  const capturer = new Capturer(
    { model: 'm', environment: 'dev', trustEventTime: false, sampling },
    {
      spool: { offer: (record) => (record.seq === 9 ? 'spool_full' : void records.push(record)) },
      versions: new VersionHistory(),
      tally,
      redact,
    },
  );
  const heads = () => records.flatMap(({ bytes }) => decodeExchanges(bytes)).map(({ head }) => head);
  return { capturer, tally, heads };
}

test('an exchange is spooled under its number, with the probability of its sample', () => {
  const { capturer, heads } = setUp({ sampling: 0.2 });
  capturer.take(raw('c'), 3);
  expect(heads()).toMatchObject([{ id: 'c', seq: 3, sampling: 0.2, version: '1', versionSource: 'url' }]);
});

test('without a sample there is no probability, and a cut body is said to be cut', () => {
  const { capturer, heads } = setUp();
  capturer.take(raw('a', 2), 1);
  expect(heads()[0]?.truncated).toBe(true);
  expect(heads()[0]).not.toHaveProperty('sampling');
});

test('redaction comes before the spool', () => {
  const { capturer, heads } = setUp({
    redact: (exchange) => ({ ...exchange, head: { ...exchange.head, redacted: { variables: ['v'] } } }),
  });
  capturer.take(raw('a'), 1);
  expect(heads()[0]?.redacted).toEqual({ variables: ['v'] });
});

test('what the spool refuses, or redaction throws over, is dropped and counted, and the next goes on', () => {
  const { capturer, tally, heads } = setUp({
    redact: (exchange) => {
      if (exchange.head.id === 'a') throw new Error('broken');
      return exchange;
    },
  });
  capturer.take(raw('a'), 1);
  capturer.take(raw('b'), 9);
  capturer.take(raw('b'), 10);
  expect([heads().length, tally.dropped, tally.captureErrors]).toEqual([1, { spool_error: 1, spool_full: 1 }, 1]);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeExchanges, encodeExchange, type ExchangeHead, packId } from './exchange.ts';

const head: ExchangeHead = {
  v: 1,
  id: 'x1',
  seq: 1,
  time: '2026-01-01T00:00:00.000Z',
  model: 'm',
  version: '1',
  versionSource: 'status',
  environment: 'prod',
  method: 'POST',
  target: '/v1/models/m:predict',
  status: 200,
  latencyMs: 1.5,
  outcome: 'complete',
  requestLength: 0,
  responseLength: 0,
};

test('any bytes survive, and frames stand one after the other', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uint8Array(), fc.uint8Array(), fc.string({ unit: 'grapheme' })), { maxLength: 5 }),
      (bodies) => {
        const exchanges = bodies.map(([request, response, id]) => ({ head: { ...head, id }, request, response }));
        const decoded = decodeExchanges(Buffer.concat(exchanges.map(encodeExchange)));
        expect(
          decoded.map(({ head, request, response }) => ({
            head,
            request: new Uint8Array(request),
            response: new Uint8Array(response),
          })),
        ).toEqual(exchanges);
      },
    ),
  );
});

test('a torn frame is an error, not a short answer', () => {
  const frame = encodeExchange({ head, request: new Uint8Array(5), response: new Uint8Array(7) });
  for (let cut = 1; cut < frame.length; cut++)
    expect(() => decodeExchanges(frame.subarray(0, cut))).toThrow(/ends in the middle/);
});

test('a pack id is safe for BullMQ and differs by range', () => {
  const id = packId('agent', 'epoch', 1, 500);
  expect(id).toMatch(/^p-[0-9a-f]{32}$/);
  expect(packId('agent', 'epoch', 1, 501)).not.toBe(id);
});

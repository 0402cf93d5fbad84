import { encodeExchange } from '@fairway/core';
import * as fc from 'fast-check';
import { test } from 'vitest';
import type { RawExchange } from '../ports.ts';
import { Encoder } from './encode.ts';
import { type ExchangeContext, toExchange } from './exchange.ts';

const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const bytes = fc.uint8Array({ maxLength: 40 });
const text = fc.string({ unit: 'binary', maxLength: 12 });
const size = fc.nat(1e9);

const raw: fc.Arbitrary<RawExchange> = fc
  .record({
    id: fc.oneof(fc.stringMatching(/^[0-9a-f]{32}$/), text),
    route: fc.constantFrom({ model: 'm' }, { model: 'm"\n', version: '1' }),
    method: fc.constantFrom('POST', 'GET'),
    target: fc.constantFrom('/v1/models/m:predict', '/"\\'),
    status: fc.constantFrom(0, 200, 400),
    outcome: fc.constantFrom('complete' as const, 'client_aborted' as const, 'upstream_aborted' as const),
    at: fc.integer({ min: 0, max: 4e12 }),
    startedAt: fc.double({ min: 0, max: 1e9, noNaN: true }),
    endedAt: fc.double({ min: 0, max: 1e9, noNaN: true }),
    correlationId: maybe(text),
    eventTime: maybe(fc.constantFrom('2025-03-01T12:00:00+01:00', 'never')),
    requestEncoding: maybe(fc.constantFrom('gzip', '')),
    request: bytes,
    requestLength: size,
    response: bytes,
    responseLength: size,
    truncated: fc.boolean(),
    grpcStatus: maybe(fc.nat(16)),
    protocol: maybe(fc.constant('grpc' as const)),
  })
  .map(({ grpcStatus, protocol, ...rest }) => ({
    ...rest,
    ...(grpcStatus === undefined ? {} : { grpcStatus }),
    ...(protocol === undefined ? {} : { protocol }),
  }));

const context: fc.Arbitrary<ExchangeContext> = fc.record({
  seq: fc.nat(),
  environment: fc.constantFrom('dev', 'e"'),
  trustEventTime: fc.boolean(),
  attribution: fc.constantFrom(
    { version: '1', source: 'status' as const },
    { version: '2', source: 'url' as const },
    { version: '', source: 'ambiguous' as const },
  ),
  sampling: fc.constantFrom(1, 1, 0.25),
});

test('the same bytes as the slow way makes, whatever came before', () => {
  const property = fc.property(
    fc.array(raw, { minLength: 1, maxLength: 4 }),
    context,
    context,
    (exchanges, one, two) => {
      const encoder = new Encoder();
      for (const exchange of exchanges) {
        for (const own of [{ ...one }, { ...one }, { ...two, environment: one.environment }]) {
          const slow = encodeExchange(toExchange(exchange, own));
          if (!encoder.encode(exchange, own).equals(slow)) throw new Error('other bytes');
        }
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
}, 60_000);

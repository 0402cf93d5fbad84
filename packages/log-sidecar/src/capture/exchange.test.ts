import { expect, test } from 'vitest';
import type { RawExchange } from '../ports.ts';
import { eventTime, toExchange } from './exchange.ts';
import { createIds } from './ids.ts';

const raw: RawExchange = {
  id: 'x',
  route: { model: 'm' },
  method: 'POST',
  target: '/v1/models/m:predict',
  status: 200,
  outcome: 'complete',
  at: Date.UTC(2026, 10, 22, 8),
  startedAt: 10,
  endedAt: 12.3456,
  correlationId: undefined,
  eventTime: '2025-01-01T00:00:00+01:00',
  requestEncoding: undefined,
  request: Buffer.from('a'),
  requestLength: 1,
  response: Buffer.from('b'),
  responseLength: 1,
  truncated: false,
};
const context = { seq: 3, environment: 'dev', sampling: 1, attribution: { version: '1', source: 'status' } as const };

test('business time comes from the caller only where that is trusted', () => {
  expect(toExchange(raw, { ...context, trustEventTime: true }).head.time).toBe('2024-12-31T23:00:00.000Z');
  expect(toExchange(raw, { ...context, trustEventTime: false }).head.time).toBe('2026-11-22T08:00:00.000Z');
});

test('what is not there leaves no key behind', () => {
  const { head } = toExchange(raw, { ...context, trustEventTime: false });
  expect(head).toMatchObject({ seq: 3, latencyMs: 2.346, version: '1', versionSource: 'status' });
  expect(Object.keys(head)).not.toContain('correlationId');
  expect(Object.keys(head)).not.toContain('truncated');
});

test.each(['', 'yesterday', '2025-01-01', '2025-13-01T00:00:00Z', '2025-01-01T00:00:00', '2025-01-01 00:00:00Z'])(
  '%j is no RFC 3339 time',
  (text) => {
    expect(eventTime(text)).toBeUndefined();
  },
);

test('ids are unique, of fixed form, and sort in the order they were given, whatever the clock does', () => {
  let now = 1_700_000_000_000;
  const next = createIds({ now: () => now });
  const ids = Array.from({ length: 20_000 }, (_, i) => {
    if (i === 9000) now += 5;
    if (i === 12_000) now -= 60_000;
    return next();
  });
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
});

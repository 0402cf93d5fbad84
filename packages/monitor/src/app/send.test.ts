import { FairwayError, silentLogger } from '@fairway/core';
import { expect, test } from 'vitest';
import type { DueItem, Settlement } from '../ports.ts';
import { retryDelay, sendCard, settleFailure } from './send.ts';

const item: DueItem = {
  kind: 'card',
  deliveryId: 'card-1',
  event: 'alert',
  title: 't',
  model: 'm',
  version: '1',
  environment: 'prod',
  payload: {},
  attempts: 2,
  createdAt: '2026-01-01T00:00:00.000Z',
  decided: false,
};

test('the schedule doubles from one second to five minutes, with up to a quarter more', () => {
  const delays = Array.from({ length: 12 }, (_, attempts) => retryDelay('card-1', attempts));
  for (const [attempts, delay] of delays.entries()) {
    const base = Math.min(300_000, 1000 * 2 ** attempts);
    expect(delay).toBeGreaterThanOrEqual(base);
    expect(delay).toBeLessThanOrEqual(base * 1.25);
  }
  expect(retryDelay('card-2', 3)).not.toBe(retryDelay('card-1', 3));
});

async function settled(answer: Parameters<typeof JSON.stringify>[0], at: string): Promise<Settlement> {
  let settlement: Settlement | undefined;
  const outbox = {
    attempt: async (_: string, work: (one: DueItem) => Promise<Settlement>) => {
      settlement = await work(item);
      return true;
    },
  };
  await sendCard(outbox as never, { send: async () => answer }, { now: () => Date.parse(at) }, silentLogger);
  return settlement as Settlement;
}

test('what an answer leads to', async () => {
  const soon = '2026-01-01T01:00:00.000Z';
  expect(await settled({ kind: 'accepted' }, soon)).toEqual({ state: 'accepted' });
  expect(await settled({ kind: 'dead', reason: 'gone' }, soon)).toEqual({ state: 'dead', reason: 'gone' });
  expect(await settled({ kind: 'retry', afterMs: 3_600_000 }, soon)).toMatchObject({
    state: 'pending',
    delayMs: 3_600_000,
  });
  expect(await settled({ kind: 'retry' }, soon)).toMatchObject({ state: 'pending', delayMs: retryDelay('card-1', 2) });
  expect(await settled({ kind: 'retry' }, '2026-01-03T00:00:00.000Z')).toMatchObject({ state: 'dead' });
});

test('a terminal error is final, any other is tried again', () => {
  expect(settleFailure(item, new FairwayError('input.invalid', 'no'))).toEqual({ state: 'dead', reason: 'no' });
  expect(settleFailure(item, new Error('what?'))).toMatchObject({ state: 'pending', reason: 'what?' });
});

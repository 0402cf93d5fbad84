import { type CardAnswer, type CardContent, FairwayError, silentLogger } from '@fairway/core';
import { expect, test } from 'vitest';
import type { NotificationStore, Settled } from '../ports/notify.ts';
import type { DueItem } from '../ports.ts';
import { retryDelay, sendDelivery, settleFailure } from './send.ts';

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

async function settled(answer: CardAnswer, ageMs: number): Promise<Settled> {
  let settlement: Settled | undefined;
  const store: Pick<NotificationStore, 'attempt'> = {
    attempt: async (_channel, work) => {
      settlement = await work({ deliveryId: 'card-1', content: {} as CardContent, attempts: 2, ageMs });
      return true;
    },
  };
  await sendDelivery(store, 'teams', { send: async () => answer }, silentLogger);
  return settlement as Settled;
}

test('what an answer leads to', async () => {
  const hour = 3_600_000;
  expect(await settled({ kind: 'accepted' }, hour)).toEqual({ state: 'accepted' });
  expect(await settled({ kind: 'accepted', reason: 'but one' }, hour)).toEqual({
    state: 'accepted',
    reason: 'but one',
  });
  expect(await settled({ kind: 'dead', reason: 'gone' }, hour)).toEqual({ state: 'dead', reason: 'gone' });
  expect(await settled({ kind: 'retry', afterMs: hour, reason: '429' }, hour)).toEqual({
    state: 'pending',
    delayMs: hour,
    pauseMs: hour,
    reason: '429',
  });
  expect(await settled({ kind: 'retry' }, hour)).toMatchObject({
    state: 'pending',
    delayMs: retryDelay('card-1', 2),
    pauseMs: 0,
  });
  expect(await settled({ kind: 'retry', reason: 'No.' }, 25 * hour)).toEqual({
    state: 'dead',
    reason: 'No. Given up after 25 h.',
  });
});

test('a terminal error is final, any other is tried again', () => {
  expect(settleFailure(item, new FairwayError('input.invalid', 'no'))).toEqual({ state: 'dead', reason: 'no' });
  expect(settleFailure(item, new Error('what?'))).toMatchObject({ state: 'pending', reason: 'what?' });
});

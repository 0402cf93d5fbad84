import { silentLogger } from '@fairway/core';
import { expect, it, vi } from 'vitest';
import type { AnswerCall, Delivery, DeliveryResult, NotifierAnswer, Outbox } from '../ports.ts';
import { relay } from './relay.ts';

const HOUR_MS = 3_600_000;
const metrics = { stepRan: () => {}, phaseEntered: () => {}, notified: () => {} };

/** What becomes of one delivery that the other side answers so. */
async function settle(answer: NotifierAnswer, attempts: number, ageMs: number): Promise<DeliveryResult> {
  const call = {} as AnswerCall;
  let settled: (result: DeliveryResult) => void;
  const result = new Promise<DeliveryResult>((resolve) => (settled = resolve));
  let given = false;
  const outbox: Outbox = {
    list: () => Promise.resolve([]),
    resend: () => Promise.resolve([]),
    relay: async (_channel, send) => {
      if (given) return false;
      given = true;
      settled(await send({ content: call, attempts, ageMs } as Delivery<never>));
      return true;
    },
  };
  const sender = {
    channel: 'answer',
    send: () => Promise.resolve(answer),
    parallel: 1,
    giveUpAfterMs: 24 * HOUR_MS,
  } as const;
  const part = relay(outbox, sender, metrics, silentLogger);
  await part.start();
  const settledAs = await result;
  await part.stop();
  return settledAs;
}

it('waits longer with each failure, and as long as the other side asks', async () => {
  const busy: NotifierAnswer = { kind: 'retry', reason: 'It answered 503.' };
  const delays = [0, 1, 2, 3, 20].map(async (attempts) => (await settle(busy, attempts, 0)) as { delayMs: number });
  expect((await Promise.all(delays)).map(({ delayMs }) => delayMs)).toEqual([500, 1_000, 2_000, 4_000, 60_000]);
  const asked = await settle({ ...busy, afterMs: 90_000 }, 0, 0);
  expect(asked).toEqual({ kind: 'retry', delayMs: 90_000, reason: 'It answered 503.' });
});

it('gives up after a day, with the last reason', async () => {
  const busy: NotifierAnswer = { kind: 'retry', reason: 'It answered 503.' };
  expect(await settle(busy, 900, 23.9 * HOUR_MS)).toMatchObject({ kind: 'retry' });
  expect(await settle(busy, 900, 24 * HOUR_MS)).toEqual({
    kind: 'dead',
    reason: 'It answered 503. Given up after 24 h.',
  });
});

it('leaves what is final as it is', async () => {
  expect(await settle({ kind: 'accepted' }, 0, 48 * HOUR_MS)).toEqual({ kind: 'accepted' });
  expect(await settle({ kind: 'dead', reason: 'No.' }, 0, 0)).toEqual({ kind: 'dead', reason: 'No.' });
});

it('sends what comes after a delivery that hangs, and asks an empty outbox for all at once', async () => {
  const asked: Array<{ answer: (found: boolean) => void; send: (content: string) => Promise<unknown> }> = [];
  const outbox: Outbox = {
    list: () => Promise.resolve([]),
    resend: () => Promise.resolve([]),
    relay: (_channel, send) =>
      new Promise((answer) => {
        const one = (content: string) => send({ content, attempts: 0, ageMs: 0 } as unknown as Delivery<never>);
        asked.push({ answer, send: one });
      }),
  };
  const sent: unknown[] = [];
  const answers: Array<(answer: NotifierAnswer) => void> = [];
  const send = (content: unknown) => (
    sent.push(content), new Promise<NotifierAnswer>((resolve) => answers.push(resolve))
  );
  const part = relay(outbox, { channel: 'answer', send, parallel: 3 }, metrics, silentLogger);
  await part.start();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  const first = asked[0]?.send('first');
  // Three could ask; only the one whose turn it is does.
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  const second = asked[1]?.send('second');
  await vi.waitFor(() => expect(asked).toHaveLength(3));
  expect(sent).toEqual(['first', 'second']);
  for (const answer of answers) answer({ kind: 'accepted' });
  await Promise.all([first, second]);
  const stopped = part.stop();
  asked[0]?.answer(true);
  asked[1]?.answer(true);
  asked[2]?.answer(false);
  await stopped;
  expect(asked).toHaveLength(3);
});

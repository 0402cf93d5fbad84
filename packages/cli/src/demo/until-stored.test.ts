import { expect, test } from 'vitest';
import { type Booked, untilStored } from './until-stored.ts';

/** A clock that moves when somebody waits; `booked` and `held` are told by the second. */
function waiting(booked: (second: number) => Booked, held: (second: number) => number | undefined) {
  let at = 0;
  const asked: number[] = [];
  const second = () => Math.floor(at / 1000);
  const answer = untilStored({
    expected: 100,
    perCall: 20,
    booked: async () => booked(second()),
    held: async () => {
      asked.push(second());
      return held(second());
    },
    now: () => at,
    pause: async (ms) => {
      at += ms;
    },
  });
  return { answer, asked, second };
}

const none = () => 0;

test('waits for the last one, and asks no agent when none was killed', async () => {
  const { answer, asked, second } = waiting((s) => ({ stored: s < 30 ? 0 : 100, killedCalls: 0 }), none);
  expect(await answer).toBe(100);
  expect([second(), asked]).toEqual([30, []]);
});

test('what a killed agent told as lost is given up once nothing is held any more', async () => {
  const { answer, second } = waiting(() => ({ stored: 60, killedCalls: 2 }), none);
  expect(await answer).toBe(60);
  expect(second()).toBe(3);
});

test.each([
  ['the queue still holds calls', 5],
  ['an agent does not answer', undefined],
])('a kill is no reason to give up while %s', async (_what, held) => {
  const { answer, second } = waiting(
    (s) => ({ stored: s < 20 ? 60 : 100, killedCalls: 2 }),
    (s) => (s < 20 ? held : 0),
  );
  expect(await answer).toBe(100);
  expect(second()).toBe(20);
});

test('more is missing than the kill can have taken: waited for, then said', async () => {
  const { answer } = waiting(() => ({ stored: 59, killedCalls: 2 }), none);
  await expect(answer).rejects.toThrow(/Only 59 of 100 predictions are stored after 90 s/);
});

test('an agent that answers to nobody for good: what was told is believed in the end', async () => {
  const { answer, second } = waiting(
    () => ({ stored: 60, killedCalls: 2 }),
    () => undefined,
  );
  expect(await answer).toBe(60);
  expect(second()).toBe(90);
});

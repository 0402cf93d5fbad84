import { expect, test, vi } from 'vitest';
import { Allowance, Shortage } from './pace.ts';

test('an allowance is used up, and comes back with time, up to what a quarter of a second brings', () => {
  let now = 0;
  const allowance = new Allowance(() => now, 4000);
  expect([allowance.take(600), allowance.take(600), allowance.take(400)]).toEqual([true, false, true]);
  now = 25;
  expect([allowance.take(101), allowance.take(100)]).toEqual([false, true]);
  now = 60_000;
  expect([allowance.take(1001), allowance.take(1000), allowance.take(1)]).toEqual([false, true, false]);
});

test('a thread that waits for longer than it runs is short of the processor, one that is idle or runs is not', () => {
  vi.useFakeTimers();
  try {
    const stats = ['0 0 1', '50000000 60000000 9', '100000000 61000000 9', '100000001 62000000 9', 'nonsense'];
    const told: boolean[] = [];
    const shortage = new Shortage(
      (isShort) => told.push(isShort),
      () => stats.shift() ?? '',
    );
    shortage.start();
    vi.advanceTimersByTime(300);
    expect(told).toEqual([false, true, false, false]);
    shortage.stop();
  } finally {
    vi.useRealTimers();
  }
});

test('where the system does not count, nothing is ever told', () => {
  vi.useFakeTimers();
  try {
    const tell = vi.fn();
    const shortage = new Shortage(tell, () => {
      throw new Error('no such file');
    });
    shortage.start();
    vi.advanceTimersByTime(1000);
    expect(tell).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});

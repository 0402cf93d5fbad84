import { silentLogger } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { controlLoop } from './loop.ts';

describe('controlLoop', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

  it('runs a key once for many requests, and once more for requests during the run', async () => {
    let runs = 0;
    let finish = () => {};
    const reconcile = () =>
      new Promise<undefined>((resolve) => {
        runs += 1;
        finish = () => resolve(undefined);
      });
    const loop = controlLoop({ name: 'test', reconcile }, silentLogger);
    for (let i = 0; i < 5; i++) loop.enqueue('a');
    await settle(1);
    expect(runs).toBe(1);
    for (let i = 0; i < 5; i++) loop.enqueue('a');
    await settle(1);
    expect(runs).toBe(1);
    finish();
    await settle(1);
    expect(runs).toBe(2);
    finish();
    await settle(1000);
    expect(runs).toBe(2);
  });

  it('retries a failing key on the schedule 100 ms, 200 ms, 400 ms', async () => {
    const at: number[] = [];
    const begun = Date.now();
    const reconcile = () => {
      at.push(Date.now() - begun);
      throw new Error('no');
    };
    const loop = controlLoop({ name: 'test', reconcile }, silentLogger);
    loop.enqueue('a');
    await settle(800);
    await loop.stop();
    expect(at.map((ms) => Math.round(ms / 100) * 100)).toEqual([0, 100, 300, 700]);
  });

  it('looks again after the time that a run asks for, or earlier when something happens', async () => {
    let runs = 0;
    const loop = controlLoop({ name: 'test', reconcile: () => (++runs === 1 ? 60_000 : undefined) }, silentLogger);
    loop.enqueue('a');
    await settle(1);
    loop.enqueue('a');
    await settle(1);
    expect(runs).toBe(2);
    await loop.stop();
  });
});

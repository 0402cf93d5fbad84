import { describe, expect, it } from 'vitest';
import { pollDelay, retryDelay, reviewDelay } from './retry.ts';

const schedule = (code: Parameters<typeof retryDelay>[0], tries: number) =>
  Array.from({ length: tries }, (_, i) => retryDelay(code, i + 1));

describe('the retry schedule', () => {
  it('retries races fast, and gives up after twenty', () => {
    expect(schedule('git.race', 9)).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(retryDelay('git.race', 20)).toBeUndefined();
  });
  it('waits for servers that are away as long as it takes', () => {
    expect(schedule('forge.unavailable', 9)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(retryDelay('database.unavailable', 10_000)).toBe(60_000);
  });
  it('does not come back before the server wants it to', () => {
    expect([retryDelay('forge.unavailable', 1, 38_000), retryDelay('forge.unavailable', 9, 38_000)]).toEqual([
      38_000, 60_000,
    ]);
    expect(retryDelay('forge.unavailable', 1, 9e9)).toBe(3_600_000);
    for (const wish of [undefined, 'soon', Number.NaN]) expect(retryDelay('forge.unavailable', 1, wish)).toBe(500);
  });
  it('caps what it does not know', () => {
    expect(schedule('unknown', 8)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, undefined]);
    expect(retryDelay('image.failed', 8)).toBeUndefined();
  });
});

it('looks often at what is young and rarely at what waits for a person', () => {
  expect([0, 30_000, 60_000, 600_000, 86_400_000].map(pollDelay)).toEqual([500, 500, 1000, 10_000, 30_000]);
});

it('looks less often at what waits for people', () => {
  expect([0, 3_000, 30_000, 1_800_000, 3_600_000, 86_400_000].map(reviewDelay)).toEqual([
    500, 500, 5_000, 30_000, 60_000, 300_000,
  ]);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lastThatHolds } from './chain.ts';

it('finds a place that holds just before one that does not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 200 }), async (rest) => {
      // The newest holds, the change itself does not.
      const holds = [true, ...rest, false];
      const place = await lastThatHolds(holds.length - 1, (i) => Promise.resolve(holds[i] ?? false));
      expect([holds[place], holds[place + 1]]).toEqual([true, false]);
    }),
  );
});

it('asks few questions over 3,000 commits', async () => {
  for (const truth of [0, 1, 7, 500, 2_999]) {
    let asked = 0;
    const place = await lastThatHolds(3_000, (i) => Promise.resolve((asked++, i <= truth)));
    expect(place).toBe(truth);
    expect(asked).toBeLessThan(20);
  }
});

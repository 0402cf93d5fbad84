import { expect, it } from 'vitest';
import { gate } from './gate.ts';

it('lets so many through at a time, in order, and goes on after a failure', async () => {
  const through = gate(2);
  const begun: number[] = [];
  const ends: Array<() => void> = [];
  const work = (i: number) => async () => {
    begun.push(i);
    await new Promise<void>((resolve) => ends.push(resolve));
    if (i === 0) throw new Error('broken');
    return i;
  };
  const all = [0, 1, 2, 3].map((i) => through(work(i)).catch((error: Error) => error.message));
  expect(begun).toEqual([0, 1]);
  ends[0]?.();
  await all[0];
  expect(begun).toEqual([0, 1, 2]);
  ends[1]?.();
  await expect.poll(() => begun).toEqual([0, 1, 2, 3]);
  ends[2]?.();
  ends[3]?.();
  expect(await Promise.all(all)).toEqual(['broken', 1, 2, 3]);
});

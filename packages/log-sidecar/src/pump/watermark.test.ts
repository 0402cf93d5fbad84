import { expect, test } from 'vitest';
import { Watermark } from './watermark.ts';

const said = (used: number, most: number) =>
  `# Memory\r\nused_memory:${used}\r\nused_memory_rss:99\r\nmaxmemory:${most}\r\nmaxmemory_policy:noeviction\r\n`;

async function at(levels: ReadonlyArray<readonly [used: number, most: number]>, stepMs = 1000): Promise<boolean[]> {
  let now = 0;
  let level = levels[0] ?? [0, 0];
  const mark = new Watermark(
    async () => said(...level),
    () => now,
  );
  const reached: boolean[] = [];
  for (const one of levels) {
    level = one;
    reached.push(await mark.isReached());
    now += stepMs;
  }
  return reached;
}

test('refuses from 70 % of maxmemory on, and takes again only below 60 %', async () => {
  expect(
    await at([
      [69, 100],
      [70, 100],
      [65, 100],
      [60, 100],
      [59, 100],
      [65, 100],
    ]),
  ).toEqual([false, true, true, true, false, false]);
});

test('refuses nothing where Redis has no limit, or does not say', async () => {
  expect(await at([[5_000, 0]])).toEqual([false]);
  expect(await new Watermark(async () => '', performance.now.bind(performance)).isReached()).toBe(false);
});

test('does not ask again for a quarter of a second', async () => {
  expect(
    await at(
      [
        [10, 100],
        [99, 100],
        [99, 100],
      ],
      200,
    ),
  ).toEqual([false, false, true]);
});

test('tells what it found last without asking again', async () => {
  const mark = new Watermark(async () => said(70, 100), performance.now.bind(performance));
  expect(mark.wasReached).toBe(false);
  await mark.isReached();
  expect(mark.wasReached).toBe(true);
});

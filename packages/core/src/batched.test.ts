import { expect, it, vi } from 'vitest';
import { batched, type BatchLimits, type BatchOutcome } from './batched.ts';

/** A batch that ends when the test says so. */
function stage(limits: Partial<BatchLimits> = {}) {
  const runs: Array<{
    items: readonly number[];
    end: (outcomes: ReadonlyArray<BatchOutcome<string>> | Error) => void;
  }> = [];
  const ask = batched<number, string>(
    { max: 100, ...limits },
    (items) =>
      new Promise((resolve, reject) => {
        runs.push({ items, end: (outcomes) => (outcomes instanceof Error ? reject(outcomes) : resolve(outcomes)) });
      }),
  );
  return { runs, ask };
}
const fine = (items: readonly number[]) => items.map((item) => ({ value: `<${item}>` }));

it('takes what comes in one turn together, and what comes meanwhile next', async () => {
  const { runs, ask } = stage();
  const first = [1, 2].map(ask);
  await expect.poll(() => runs.length).toBe(1);
  const next = [3, 4, 5].map(ask);
  expect(runs[0]?.items).toEqual([1, 2]);
  runs[0]?.end(fine([1, 2]));
  expect(await Promise.all(first)).toEqual(['<1>', '<2>']);
  await expect.poll(() => runs[1]?.items).toEqual([3, 4, 5]);
  runs[1]?.end(fine([3, 4, 5]));
  expect(await Promise.all(next)).toEqual(['<3>', '<4>', '<5>']);
});

it('gives each its own answer, and what a batch throws to all of it', async () => {
  const { runs, ask } = stage({ max: 2 });
  const results = Promise.allSettled([1, 2, 3, 4].map(ask));
  await expect.poll(() => runs.length).toBe(1);
  runs[0]?.end([{ value: 'one' }, { error: new Error('two') }]);
  await expect.poll(() => runs.length).toBe(2);
  runs[1]?.end(new Error('all'));
  expect(
    (await results).map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as Error).message)),
  ).toEqual(['one', 'two', 'all', 'all']);
  const later = ask(5);
  await expect.poll(() => runs.length).toBe(3);
  runs[2]?.end([]);
  await expect(later).rejects.toThrow('without an answer');
});

/** How many each batch takes of what comes at these ms; a batch itself takes no time. */
async function sizes(limits: Partial<BatchLimits>, ...arrivals: ReadonlyArray<readonly [at: number, count: number]>) {
  vi.useFakeTimers();
  try {
    const taken: number[] = [];
    const ask = batched<number, number>({ max: 100, ...limits }, (items) => {
      taken.push(items.length);
      return Promise.resolve(items.map((value) => ({ value })));
    });
    const asked: Array<Promise<unknown>> = [];
    const come = (count: number) => asked.push(...Array.from({ length: count }, (_, item) => ask(item)));
    for (const [at, count] of arrivals) setTimeout(() => come(count), at);
    await vi.advanceTimersByTimeAsync(10_000);
    await Promise.all(asked);
    return taken;
  } finally {
    vi.useRealTimers();
  }
}

it('lets nobody wait who comes alone, and those after several for each other', async () => {
  const limits = { lingerMs: 100 };
  expect(await sizes(limits, [1, 1], [20, 1], [40, 1])).toEqual([1, 1, 1]);
  expect(await sizes(limits, [1, 2], [20, 1], [70, 1], [150, 1])).toEqual([2, 2, 1]);
});

it('waits in a burst as long as more come, until so many wait or so much time has gone', async () => {
  const limits = { lingerMs: 100, burstMs: 300 };
  const steady = Array.from({ length: 9 }, (_, i) => [50 + 80 * i, 1] as const);
  expect(await sizes(limits, [1, 15], ...steady)).toEqual([15, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect(await sizes(limits, [1, 16], ...steady)).toEqual([16, 4, 1, 1, 1, 1, 1]);
  expect(await sizes(limits, [1, 16], [50, 3], [250, 4])).toEqual([16, 3, 4]);
  expect(await sizes(limits, [1, 16], [50, 99], [150, 9])).toEqual([16, 100, 8]);
  expect(await sizes(limits, [1, 16], [50, 100], [150, 9])).toEqual([16, 100, 9]);
});

import { expect, it } from 'vitest';
import { batched, type BatchOutcome } from './batched.ts';

/** A batch that ends when the test says so. */
function stage(max = 100) {
  const runs: Array<{
    items: readonly number[];
    end: (outcomes: ReadonlyArray<BatchOutcome<string>> | Error) => void;
  }> = [];
  const ask = batched<number, string>(
    { max },
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
  const { runs, ask } = stage(2);
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

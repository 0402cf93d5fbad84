import { expect, test } from 'vitest';
import { allowance } from './allowance.ts';

test('so many at first, then one for each so many calls, and never more than at first', () => {
  const dear = allowance(2, 10);
  const taken = (calls: number) => {
    let count = 0;
    for (let call = 0; call < calls; call++) {
      dear.tick();
      if (dear.take()) count += 1;
    }
    return count;
  };
  expect(taken(10)).toBe(2);
  expect(taken(100)).toBe(10);
  for (let call = 0; call < 1000; call++) dear.tick();
  expect([dear.take(), dear.take(), dear.take()]).toEqual([true, true, false]);
});

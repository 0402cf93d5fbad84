import { expect, it } from 'vitest';
import { sharedTurns } from './shared-turns.ts';

it('gives who brings a change twice the answer of its one turn, and the next one a turn of its own', async () => {
  const begun: string[] = [];
  const ends: Array<(dueInMs: number) => void> = [];
  const turn = sharedTurns((id) => {
    begun.push(id);
    return new Promise((resolve) => ends.push(resolve));
  });
  const [first, again, other] = [turn('a'), turn('a'), turn('b')];
  expect(begun).toEqual(['a', 'b']);
  ends[0]?.(7);
  ends[1]?.(0);
  expect(await Promise.all([first, again, other])).toEqual([7, 7, 0]);
  void turn('a');
  expect(begun).toEqual(['a', 'b', 'a']);
});

it('keeps nothing of a turn that failed', async () => {
  let tries = 0;
  const turn = sharedTurns(() => (tries++ === 0 ? Promise.reject(new Error('away')) : Promise.resolve(undefined)));
  await expect(turn('a')).rejects.toThrow('away');
  expect(await turn('a')).toBeUndefined();
});

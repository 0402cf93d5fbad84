import fc from 'fast-check';
import { expect, test } from 'vitest';
import { auc, groupScores, ksClasses, mergedScores, scoreTable } from './ranking.ts';

test('worked by hand: ties count one half', () => {
  const groups = groupScores([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1]);
  expect(groups).toEqual([
    [0.1, 1, 0],
    [0.4, 1, 1],
    [0.8, 0, 1],
  ]);
  expect(auc(groups)).toBe(3.5 / 4);
  expect(ksClasses(groups)).toBe(0.5);
});

test('one class only has no ranking', () => {
  expect([auc([[0.5, 3, 0]]), ksClasses([[0.5, 0, 3]]), auc([])]).toEqual([null, null, null]);
});

test('AUC is the share of pairs in the right order', () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.constantFrom(0, 1)), {
    minLength: 2,
    maxLength: 60,
  });
  fc.assert(
    fc.property(rows, (data) => {
      const events = data.filter(([, label]) => label === 1);
      const others = data.filter(([, label]) => label === 0);
      const value = auc(
        groupScores(
          data.map(([score]) => score),
          data.map(([, label]) => label),
        ),
      );
      if (events.length === 0 || others.length === 0) {
        expect(value).toBeNull();
        return;
      }
      let wins = 0;
      for (const [a] of events) for (const [b] of others) wins += a > b ? 1 : a === b ? 0.5 : 0;
      expect(value).toBeCloseTo(wins / (events.length * others.length), 12);
    }),
  );
});

test('tables and walks of ascending lists give the groups of their rows', () => {
  const [unlabelled, nonEvents, events] = [
    [0.2, 0.7],
    [0.1, 0.1, 0.2],
    [0.1, 0.9],
  ].map((list) => Float64Array.from(list));
  const table = scoreTable(unlabelled as Float64Array, nonEvents as Float64Array, events as Float64Array);
  expect([...table.scores]).toEqual([0.1, 0.2, 0.7, 0.9]);
  expect([table.unlabelled, table.nonEvents, table.events].map((column) => [...column])).toEqual([
    [0, 1, 1, 0],
    [2, 1, 0, 0],
    [1, 0, 0, 1],
  ]);
  const groups = groupScores([0.1, 0.1, 0.2, 0.1, 0.9], [0, 0, 0, 1, 1]);
  expect([...mergedScores(nonEvents as Float64Array, events as Float64Array)]).toEqual(groups);
});

import { expect, it } from 'vitest';
import { branchesFirst } from './branches-first.ts';

function stage(running: number) {
  let now = 0;
  const line = branchesFirst({ now: () => now });
  const ends = Array.from({ length: running }, () => line.underWay());
  return { line, ends, pass: (ms: number) => (now += ms) };
}

it('holds up nobody when few are on their way', () => {
  const { line } = stage(15);
  expect([line.giveWay('a'), line.stillGivesWay('a')]).toEqual([0, 0]);
});

it('lets a pull request wait while a burst is under way', () => {
  const { line, ends, pass } = stage(16);
  expect(line.giveWay('a')).toBe(500);
  expect(line.stillGivesWay('b')).toBe(0);
  pass(500);
  expect(line.stillGivesWay('a')).toBe(500);
  pass(500);
  expect(line.stillGivesWay('a')).toBe(1_000);
  ends[0]?.();
  pass(1_000);
  expect(line.stillGivesWay('a')).toBe(0);
  // It has gone on: the next burst holds it up no more.
  line.underWay();
  expect(line.stillGivesWay('a')).toBe(0);
});

it('takes the moment between a push and the next turns for no end of the burst', () => {
  const { line, ends, pass } = stage(200);
  pass(2_000);
  for (const end of ends) end();
  expect(line.giveWay('a')).toBe(500);
  pass(500);
  for (let i = 0; i < 16; i++) line.underWay();
  pass(2_000);
  expect(line.stillGivesWay('a')).toBe(2_500);
});

it('forgets who gave way when the burst is over', () => {
  const { line, ends, pass } = stage(16);
  line.giveWay('a');
  for (const end of ends) end();
  pass(1_000);
  for (let i = 0; i < 16; i++) line.underWay();
  expect(line.stillGivesWay('a')).toBe(0);
});

it('asks the less often the more are on their way', () => {
  const { line, pass } = stage(250);
  expect(line.giveWay('a')).toBe(5_000);
  pass(5_000);
  expect(line.stillGivesWay('a')).toBe(5_000);
});

it('counts an end once, however often it is told', () => {
  const { line, ends } = stage(17);
  for (let i = 0; i < 3; i++) ends[0]?.();
  expect(line.giveWay('a')).toBe(500);
});

it('lets nobody wait for more than half a minute, however many come', () => {
  const { line, pass } = stage(100);
  let waited = 0;
  for (let ms = line.giveWay('a'); ms > 0; ms = line.stillGivesWay('a')) {
    pass(ms);
    waited += ms;
  }
  expect(waited).toBe(30_000);
});

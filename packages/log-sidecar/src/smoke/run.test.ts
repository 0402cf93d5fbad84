import { type GoldenCase, readExactJson, readGolden } from '@fairway/core';
import { expect, it } from 'vitest';
import { runSmoke, type SmokePlan } from './run.ts';
import type { Answer, Serving } from './serving.ts';

const cases = (count: number, name = (i: number) => `case ${i}`): readonly GoldenCase[] =>
  readGolden(
    Array.from({ length: count }, (_, i) => `{"name":"${name(i)}","inputs":{"X":[${i}]},"outputs":{"Y":[${i}]}}`).join(
      '\n',
    ),
  ).cases;

/** A version that answers what it is asked, except where a test says otherwise. */
function world(answers: (item: GoldenCase) => Answer, states: string[] = []) {
  const lines: string[] = [];
  let now = 0;
  const serving: Serving = {
    state: async () => {
      now += 1_000;
      return states.shift() ?? 'AVAILABLE';
    },
    predict: async (item) => answers(item),
  };
  return { serving, lines, clock: { now: () => now }, print: (line: string) => void lines.push(line) };
}
const right = ({ line }: GoldenCase): Answer => ({ json: readExactJson(`{"outputs":[${line - 1}.0]}`) });
const plan = (list: readonly GoldenCase[], more: Partial<SmokePlan> = {}): SmokePlan => ({
  model: 'm',
  version: '7',
  cases: list,
  readyWithinMs: 10_000,
  doneWithinMs: 60_000,
  ...more,
});

it('prints a line a case and is content when all are right', async () => {
  const all = world(right);
  const result = await runSmoke(plan(cases(2)), all);
  expect(result).toEqual({ passed: true, summary: 'All 2 golden cases of m version 7 were answered as wanted.' });
  expect(all.lines).toEqual(['ok golden.jsonl line 1 (case 0)', 'ok golden.jsonl line 2 (case 1)']);
});

it('asks all, and names each that failed with the reason', async () => {
  const mixed = world((item) => (item.line === 2 ? { json: readExactJson('{"outputs":[7.5]}') } : right(item)));
  const { passed, summary } = await runSmoke(plan(cases(3)), mixed);
  expect(passed).toBe(false);
  expect(summary).toBe(
    '1 of 3 golden cases of m version 7 failed: golden.jsonl line 2 (case 1): Y[0] is 7.5, wanted 1 ± 0.00011',
  );
  expect(mixed.lines).toHaveLength(4);
});

it('does not ask again what was refused', async () => {
  let asked = 0;
  const refusing = world(() => {
    asked += 1;
    return { problem: 'HTTP 400: "no"', again: false };
  });
  expect((await runSmoke(plan(cases(1)), refusing)).summary).toContain('line 1 (case 0): HTTP 400: "no"');
  expect(asked).toBe(1);
});

it('asks nothing of a version that does not become available', async () => {
  const loading = world(
    () => expect.fail('it was asked'),
    Array.from({ length: 99 }, () => 'LOADING'),
  );
  const { passed, summary } = await runSmoke(plan(cases(1), { readyWithinMs: 0 }), loading);
  expect(passed).toBe(false);
  expect(summary).toBe('Version 7 of m was not AVAILABLE within 0 s: the last word was LOADING.');
});

it('says how many cases were left when time was up', async () => {
  const { summary } = await runSmoke(plan(cases(3), { doneWithinMs: 0 }), world(right));
  expect(summary).toContain('3 cases were not asked within 0 s');
});

it('leaves no more than fits a termination message', async () => {
  const wrong = world(() => ({ json: readExactJson('{"outputs":[-1.0]}') }));
  const { summary } = await runSmoke(plan(cases(200, (i) => `${i}${'ö'.repeat(60)}`)), wrong);
  expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(4096);
  expect(summary.endsWith('…')).toBe(true);
  expect(summary).not.toContain('\uFFFD');
});

import { test } from 'vitest';
import { killAt, PLAN } from '../harness/kills.ts';
import { startDemo } from '../harness/demo.ts';
import { expectStory } from './facts.ts';

test('each process is killed in the middle of the story, and the facts are the same', async () => {
  const run = startDemo();
  const killing = killAt(run, PLAN);
  const told = await run.told;
  await killing;
  expectStory(told, { v1Windows: 4, gain: 0.05 });
});

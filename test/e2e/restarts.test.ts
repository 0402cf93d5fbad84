import { test } from 'vitest';
import { killAt, PLAN } from '../harness/kills.ts';
import { startDemo } from '../harness/demo.ts';
import { expectStory } from './facts.ts';

test('each process is killed in the middle of the story, and the facts are the same', async () => {
  const run = startDemo();
  const killing = killAt(run, PLAN);
  // The story is waited for first; a kill that fails before its end is told after it.
  killing.catch(() => {});
  const told = await run.told;
  await killing;
  expectStory(told, { v1Windows: 4, gain: 0.05, agentKilled: true });
});

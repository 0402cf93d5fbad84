import type { Change } from '@fairway/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerVersion } from './model.ts';
import { approve, cardEvents, MODEL, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  for (const version of ['1', '2']) await registerVersion(world.registry, MODEL, version, Number(version));
});
afterAll(() => world.stop());

const killed = async () => {
  await world.stopWriter('SIGKILL');
  await world.startWriter();
};
/** The next `ms` of work are done, then the writer is killed in the middle of whatever it does. */
const killedAfter = async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  await killed();
};
const isMerged = ({ phase }: Change) => phase === 'merged' || phase === 'syncing' || phase === 'verifying';

it('goes on after kills anywhere, and there is one of everything', async () => {
  const { id, branch } = (await approve(world, '1', 'prod', 'killed')).body.change;
  for (const ms of [0, 150, 350, 700]) await killedAfter(ms);
  const proposed = await world.until(id, ({ phase }) => phase === 'proposed');
  const all = (await world.onForge('GET', '/pulls?state=all')).body.filter((pull) => pull.head.ref === branch);
  expect(all.map(({ number }) => number)).toEqual([proposed.pullRequest?.number]);
  expect(all[0]?.head.sha).toBe(proposed.pullRequest?.headSha);

  await world.onForge('POST', `/pulls/${proposed.pullRequest?.number}/merge`, { Do: 'merge' });
  await killed();
  const { pullRequest } = await world.until(id, isMerged);
  world.cluster.rollOut(MODEL, 'prod', id, '1', pullRequest?.mergeCommit ?? '');
  await killed();
  await world.until(id, ({ phase }) => phase === 'live');
  // A card whose answer was lost is sent again under the same delivery id; the outbox knows each event once.
  await expect.poll(() => [...new Set(cardEvents(world))]).toEqual(['approval', 'live']);
  const { body } = await world.api('GET', '/v1/notifications');
  expect(body.notifications.map(({ event }) => event)).toEqual(['live', 'approval']);
});

it('leaves the change to the next writer when it is stopped', async () => {
  const { id } = (await approve(world, '2', 'prod', 'stopped')).body.change;
  await world.stopWriter('SIGTERM');
  expect(world.output()).not.toContain('did not stop cleanly');
  await world.startWriter();
  await world.until(id, ({ phase }) => phase === 'proposed');
});

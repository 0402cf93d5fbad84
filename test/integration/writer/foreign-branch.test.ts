import { branchName, changeId } from '@fairway/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerVersion } from './model.ts';
import { approve, MODEL, startWorld, type World } from './world.ts';

let world: World;
let digest: string;
beforeAll(async () => {
  world = await startWorld();
  await registerVersion(world.registry, MODEL, '1', 1);
  ({ digest = '' } = (await approve(world, '1', 'dev', 'to learn its digest')).body.change);
});
afterAll(() => world.stop());

/** The branch of a change that nobody has asked for yet. */
function branchOf(event: string): string {
  const key = { kind: 'deploy' as const, model: MODEL, version: '1', digest, environment: 'prod', event };
  return branchName(key, changeId(key));
}
/** Somebody pushes a branch under our name; answers its commit. */
async function stranger(event: string): Promise<string> {
  const folder = await world.clone(event);
  const commit = await world.git.commit(folder, `models/${MODEL}/environments/prod/deployment.yaml`, 'replicas: 0\n');
  await world.git.ok(folder, ['push', '--quiet', 'origin', `HEAD:${branchOf(event)}`], world.forge.owner);
  return commit;
}
const open = async (event: string): Promise<number> =>
  (await world.onForge('POST', '/pulls', { head: branchOf(event), base: 'main', title: 'Mine', body: '' })).body.number;
const pull = async (number: number) => (await world.onForge('GET', `/pulls/${number}`)).body;
const tip = async (event: string) =>
  (await world.git.ok(await world.clone(`${event} tip`), ['rev-parse', `origin/${branchOf(event)}`])).trim();

it('leaves a branch alone that somebody else has made under the name of ours, and says so', async () => {
  const commit = await stranger('taken');
  const { change } = (await approve(world, '1', 'prod', 'taken')).body;
  expect(change.branch).toBe(branchOf('taken'));
  const failed = await world.until(change.id, ({ phase }) => phase === 'failed');
  expect(failed.reason).toContain(
    'already holds commits that Fairway did not write; delete the branch on the forge and approve',
  );
  expect(failed.pullRequest).toBeUndefined();
  expect(await tip('taken')).toBe(commit);
});

it('adopts no pull request of somebody else, open or closed', async () => {
  await stranger('proposed');
  const theirs = await open('proposed');
  const { change } = (await approve(world, '1', 'prod', 'proposed')).body;
  await world.until(change.id, ({ phase }) => phase === 'failed');
  expect(await pull(theirs)).toMatchObject({ state: 'open', title: 'Mine' });

  await stranger('closed');
  const ended = await open('closed');
  await world.onForge('PATCH', `/pulls/${ended}`, { state: 'closed' });
  const folder = await world.clone('delete');
  await world.git.ok(folder, ['push', '--quiet', 'origin', `:${branchOf('closed')}`], world.forge.owner);
  // Nobody has said no to this one.
  const own = (await approve(world, '1', 'prod', 'closed')).body.change;
  const proposed = await world.until(own.id, ({ reason }) => reason?.includes('waits for its merge') === true);
  expect(proposed.pullRequest?.number).not.toBe(ended);
  expect(await pull(proposed.pullRequest?.number ?? 0)).toMatchObject({ title: `Deploy ${MODEL} 1 to prod` });
});

it('does not take the merge of other bytes under its name for its own', async () => {
  await stranger('merged');
  const theirs = await open('merged');
  await world.onForge('POST', `/pulls/${theirs}/merge`, { Do: 'merge', delete_branch_after_merge: true });
  const { change } = (await approve(world, '1', 'prod', 'merged')).body;
  const failed = await world.until(change.id, ({ phase }) => phase === 'failed');
  expect(failed.reason).toContain(`#${theirs} was merged with head`);
  expect(failed.reason).toContain('which is not what was approved');
});

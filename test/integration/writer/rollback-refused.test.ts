import { afterAll, beforeAll, expect, it } from 'vitest';
import { MODEL, startWorld, type World } from './world.ts';
import { folderOf, people, proposed, withStaging } from './ways.ts';

const MODEL_YAML = `models/${MODEL}/model.yaml`;

let world: World;
let team: ReturnType<typeof people>;
beforeAll(async () => {
  world = await startWorld();
  team = people(world);
  for (const version of ['1', '2', '3']) await team.register(version);
  await team.edit(MODEL_YAML, withStaging);
});
afterAll(() => world.stop());

const none = async () => expect(await team.changes('kind=rollback')).toEqual([]);

it('has no way back where nothing was live before, and says what to do', async () => {
  const failed = await team.broken(await team.approved('1', 'staging'));
  expect(failed.reason).toMatch(
    /It is not rolled back: Nothing else was live in staging.*fairway retire home-equity --environment staging\.$/,
  );
  await none();
});

it.each([
  ['a place where nothing is deployed', { environment: 'prod' }, 409, 'Nothing of home-equity is deployed in prod'],
  ['an unknown environment', { environment: 'moon' }, 404, 'has: dev, staging, prod.'],
  ['an unknown model', { model: 'other' }, 404, 'Model "other" is not in the GitOps repository'],
  [
    'another version than the one that is there',
    { environment: 'staging', version: '2' },
    409,
    'has version 1 and not 2',
  ],
  ['a reason of two lines', { reason: 'a\nFairway-Change: x' }, 400, 'reason: must be one line'],
])('refuses %s in a sentence', async (_, fields, status, sentence) => {
  const answer = await team.rollback({ dedupeKey: `refused ${sentence}`, ...fields });
  expect(answer.status).toBe(status);
  expect(answer.body.detail).toContain(sentence);
  await none();
});

it('leaves the way back to a person where model.yaml says so', async () => {
  await team.deployed('1', 'prod');
  await team.edit(MODEL_YAML, (text) => `${text}rollback: { maxAge: 1s, auto: false }\n`);
  await team.deployed('2', 'prod');
  const bad = await team.broken(await team.approved('3', 'prod'));
  expect(bad.reason).toContain('a person goes back: fairway rollback home-equity --environment prod.');
  // What serves until a failed verification is not old, however long ago it was deployed.
  const { body } = await team.rollback();
  const change = await world.until(body.change.id, proposed);
  expect(change.version).toBe('2');
  await team.live(change.id, (await team.changes('environment=prod&phase=live'))[0]?.id);
  await world.until(bad.id, ({ phase }) => phase === 'rolled-back');
});

it('ends as rejected when a person closes it, and lets the version go', async () => {
  await team.deployed('1', 'prod', 'one again');
  await team.edit(MODEL_YAML, (text) => text.replace('maxAge: 1s', 'maxAge: 1d'));
  let answer = await team.rollback({ dedupeKey: 'closed' });
  await expect
    .poll(async () => (answer = await team.rollback({ dedupeKey: 'closed' })).status, { timeout: 60_000 })
    .toBe(200);
  const change = await world.until(answer.body.change.id, proposed);
  await world.onForge('PATCH', `/pulls/${change.pullRequest?.number}`, { state: 'closed' });
  await world.until(change.id, ({ phase }) => phase === 'rejected');
  const approved = await team.approved('1', 'staging', 'still wanted');
  expect(approved).toBeTypeOf('string');
});

it('proves what somebody has restored and quarantined by hand, without an empty pull request', async () => {
  const { body } = await team.rollback({ dedupeKey: 'by hand' });
  const change = await world.until(body.change.id, proposed);
  const folder = await team.clone();
  await world.git.ok(folder, ['checkout', '--quiet', `origin/${change.branch}`, '--', '.']);
  await world.git.ok(folder, ['commit', '--quiet', '--message', `Restore ${folderOf('prod')} by hand`]);
  await world.git.ok(folder, ['push', '--quiet', 'origin', 'main'], world.forge.owner);
  const merged = await world.until(change.id, ({ phase }) => phase === 'merged');
  expect(merged.history.find(({ phase }) => phase === 'merged')?.reason).toContain('nothing to merge');
  expect(await team.pull(merged)).toMatchObject({ state: 'closed', merged: false });

  // A rollback that fails leaves it to people: it is not rolled back, and neither is what it restored.
  const all = (await team.changes('kind=rollback')).length;
  const now = await team.clone();
  const chain = await world.git.ok(now, ['show', `HEAD:${folderOf('prod')}/version.yaml`]);
  const stamp = /^change: (\S+)$/m.exec(chain)?.[1] ?? '';
  const ended = await team.broken(change.id, { stamp, revision: await world.git.ok(now, ['rev-parse', 'HEAD']) });
  expect(ended.reason).toMatch(/timed out\.?$/);
  expect(await team.changes('kind=rollback')).toHaveLength(all);
  const again = await team.rollback({ dedupeKey: 'again' });
  expect(again.body.detail).toContain(`was itself restored by rollback ${change.id}`);
});

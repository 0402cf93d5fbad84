import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { approve, cardEvents, MODEL, startWorld, type World } from './world.ts';
import { folderOf, people, proposed, QUARANTINE, withStaging } from './ways.ts';

let world: World;
let team: ReturnType<typeof people>;
beforeAll(async () => {
  world = await startWorld();
  team = people(world);
  for (const version of ['1', '2', '3', '4', '5', '6']) await team.register(version);
  await team.edit(`models/${MODEL}/model.yaml`, withStaging);
});
afterAll(() => world.stop());

const rollbacks = (phase?: string) => team.changes(`kind=rollback${phase === undefined ? '' : `&phase=${phase}`}`);
const liveIn = async (environment: string) => {
  const { body } = await world.api('GET', '/v1/models');
  return body.models[0]?.environments.find(({ name }) => name === environment)?.live;
};

it('answers a failed verification with one pull request that restores the last live bytes, and waits for review', async () => {
  const good = await team.deployed('1', 'prod');
  const bad = await team.broken(await team.approved('2', 'prod'));
  expect(bad.reason).toMatch(/timed out.* goes back to version 1\.$/);
  await expect.poll(() => rollbacks()).toHaveLength(1);
  const [{ id } = bad] = await rollbacks();
  const change = await world.until(id, proposed);
  expect(change).toMatchObject({ version: '1', digest: good.digest, environment: 'prod', actor: 'fairway-writer' });

  const pull = await team.pull(change);
  expect(pull.title).toBe('Roll back home-equity in prod to version 1');
  expect(pull.body).toContain('goes back from version **2** to version **1**');
  expect(pull.labels.map(({ name }) => name)).toEqual(['fairway', 'fairway/review', 'fairway/rollback']);
  const folder = await team.clone();
  const diff = await world.git.ok(folder, ['diff', '--name-only', 'origin/main', `origin/${change.branch}`]);
  expect(diff.split('\n').filter((path) => !path.startsWith(folderOf('prod')))).toEqual([QUARANTINE]);
  const restored = [good.pullRequest?.mergeCommit ?? '', `origin/${change.branch}`, '--', folderOf('prod')];
  expect(await world.git.ok(folder, ['diff', ...restored])).toBe('');
  const message = await world.git.ok(folder, ['log', '-1', '--format=%B', `origin/${change.branch}`]);
  expect(message).toContain(`\nFairway-Restores: ${good.pullRequest?.mergeCommit}\n`);
  expect(message).toContain(`\nFairway-Quarantines: 2 ${bad.digest}\n`);
  expect(message).toMatch(/\nFairway-Intent: sha256:[0-9a-f]{64}$/m);
});

it('holds the bad version back from the moment there is a rollback', async () => {
  for (const environment of ['prod', 'dev', 'staging']) {
    const answer = await approve(world, '2', environment, `again for ${environment}`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'change.refused' } });
    expect(answer.body.detail).toMatch(
      /home-equity 2 \(sha256:.*is being rolled back in prod.*close pull request http/,
    );
  }
});

it('is live when the restored bytes are proven, and the bad change is rolled back', async () => {
  const [rollback] = await rollbacks('proposed');
  const [good] = await team.changes('phase=live&environment=prod');
  const [bad] = await team.changes('phase=failed');
  if (rollback === undefined || good === undefined || bad === undefined) throw new Error('three changes are known');
  const merged = await team.merged(rollback.id);
  // The old pods' stamp is what Git says again: that of the change which is restored.
  world.cluster.rollOut(MODEL, 'prod', bad.id, '1', merged.pullRequest?.mergeCommit ?? '');
  await world.until(rollback.id, ({ reason }) => reason?.includes(bad.id) === true);
  const live = await team.live(rollback.id, good.id);
  expect(live.history.map(({ phase }) => phase)).toEqual(['requested', 'proposed', 'merged', 'verifying', 'live']);
  expect((await world.until(bad.id, ({ phase }) => phase === 'rolled-back')).reason).toContain(`Change ${rollback.id}`);
  expect(await liveIn('prod')).toMatchObject({ version: '1', changeId: rollback.id });
  expect(await world.remoteBranches()).not.toContain(rollback.branch);
  await expect.poll(() => cardEvents(world)).toContain('rolled-back');
});

it('keeps the version in quarantine in Git, until a merged commit takes the entry out', async () => {
  const folder = await team.clone();
  const file = await world.git.ok(folder, ['show', `HEAD:${QUARANTINE}`]);
  expect(file).toMatch(/^# Model versions that were rolled back\./);
  expect(file).toMatch(/ {2}- model: home-equity\n {4}version: "2"\n {4}digest: sha256:/);
  const refused = await approve(world, '2', 'dev', 'once more');
  expect(refused.status).toBe(409);
  expect(refused.body.detail).toContain(`merge a pull request that removes its entry from ${QUARANTINE}`);
  await team.edit(QUARANTINE, (text) => text.replace(/entries:[^]*/, 'entries: []\n'));
  // The refused event stands for no change, so it may come again.
  await expect.poll(async () => (await approve(world, '2', 'dev', 'once more')).status).toBe(202);
  const [lifted] = await team.changes('environment=dev');
  await team.live(lifted?.id ?? '');
});

it('never rolls back what a rollback has restored', async () => {
  const answer = await team.rollback({ dedupeKey: 'not again' });
  expect(answer.status).toBe(409);
  expect(answer.body.detail).toContain('was itself restored by rollback');
});

it('takes ten deliveries of one request for one change, and others while that is open', async () => {
  await team.deployed('3', 'prod');
  const elsewhere = await world.until(await team.approved('3', 'staging'), proposed);
  const answers = await Promise.all(Array.from({ length: 10 }, () => team.rollback({ dedupeKey: 'ten times' })));
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
  const ids = new Set(answers.map(({ body }) => body.change.id));
  ids.add((await team.rollback({ dedupeKey: 'another key', version: '3' })).body.change.id);
  expect([...ids]).toHaveLength(1);
  const change = await world.until([...ids][0] ?? '', proposed);
  expect(change.version).toBe('1');
  // Open pull requests for the same bytes are closed, whatever environment they are for.
  const closed = await world.until(elsewhere.id, ({ phase }) => phase === 'rejected');
  expect(closed.reason).toContain('is being rolled back in prod');
  expect(await team.pull(elsewhere)).toMatchObject({ state: 'closed', merged: false });
});

it('steps aside when a newer version is merged meanwhile', async () => {
  const [rollback] = await rollbacks('proposed');
  const newer = await team.deployed('4', 'prod');
  const ended = await world.until(rollback?.id ?? '', ({ phase }) => phase === 'superseded');
  expect(ended.reason).toContain(`Version 4 has taken the place of version 3 meanwhile (change ${newer.id})`);
  expect(await team.pull(ended)).toMatchObject({ state: 'closed', merged: false });
  expect(await team.comments(ended)).toEqual([expect.stringContaining('Superseded')]);
});

it('merges by itself where the environment does', async () => {
  const before = await world.api('GET', '/v1/changes?environment=dev&phase=live');
  const bad = await team.broken(await team.approved('5', 'dev'));
  await expect.poll(async () => (await team.changes('kind=rollback&environment=dev')).length).toBe(1);
  const [rollback] = await team.changes('kind=rollback&environment=dev');
  const merged = await world.until(rollback?.id ?? '', ({ phase }) => phase === 'merged');
  expect(await team.pull(merged)).toMatchObject({ merged: true, merged_by: { login: world.forge.second.name } });
  await team.live(merged.id, before.body.changes[0]?.id);
  await world.until(bad.id, ({ phase }) => phase === 'rolled-back');
  expect(await liveIn('dev')).toMatchObject({ version: '2' });
});

it('adds nothing when the verification fails while a rollback is open already', async () => {
  // A second try must not find the first one's change.
  const event = randomUUID();
  const id = await team.approved('6', 'prod', event);
  await team.merged(id);
  const { body } = await team.rollback({ dedupeKey: `seen it coming: ${event}` });
  const before = (await rollbacks()).length;
  const bad = await team.broken(id);
  expect(bad.reason).toContain(`Change ${body.change.id} goes back to version 4.`);
  expect(await rollbacks()).toHaveLength(before);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '@fairway/core';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rolledOutDeployment, syncedApplication } from './cluster.ts';
import { registerVersion } from './model.ts';
import { approve, cardEvents, MODEL, SECRET, startWorld, TOKEN, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  for (const version of ['1', '2', '3']) await registerVersion(world.registry, MODEL, version, Number(version));
});
afterAll(() => world.stop());

const proposed = ({ phase }: Change) => phase === 'proposed';
const pullOf = async (change: Change) => (await world.onForge('GET', `/pulls/${change.pullRequest?.number}`)).body;
const merge = (change: Change) => world.onForge('POST', `/pulls/${change.pullRequest?.number}/merge`, { Do: 'merge' });
const statuses = async (commit: string) =>
  Object.fromEntries(
    (await world.onForge('GET', `/commits/${commit}/status`)).body.statuses.map((status) => [
      status.context,
      status.status,
    ]),
  );

it('carries an approval that comes ten times to live, by one branch, one pull request and one card each', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => approve(world, '1', 'prod', 'event-1')));
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(9);
  const [id, ...others] = new Set(answers.map(({ body }) => body.change.id));
  expect(others).toEqual([]);
  const change = await world.until(id ?? '', proposed);
  const pull = await pullOf(change);
  expect(pull.title).toBe('Deploy home-equity 1 to prod');
  expect(pull.body).toContain(`<!-- fairway:change=${id} -->`);
  expect(pull.labels.map((label) => label.name)).toEqual(['fairway', 'fairway/deploy', 'fairway/review']);
  expect(pull.head.sha).toBe(change.pullRequest?.headSha);
  expect(await statuses(change.pullRequest?.headSha ?? '')).toEqual({ 'fairway/approval': 'success' });
  expect((await world.onForge('GET', '/pulls?state=all')).body).toHaveLength(1);

  expect((await merge(change)).status).toBe(200);
  const { pullRequest } = await world.until(change.id, ({ phase }) => phase === 'merged');
  const revision = pullRequest?.mergeCommit ?? '';
  // Argo CD says Synced and Healthy at our revision while the old pods run: not live.
  world.cluster.application('home-equity-prod', syncedApplication('home-equity-prod', revision));
  world.cluster.deployment('home-equity-prod', MODEL, rolledOutDeployment(MODEL, 'an older change'));
  await world.until(
    change.id,
    ({ phase, reason }) => phase === 'verifying' && reason?.includes('carries change an older') === true,
  );
  // The pods are new, and TensorFlow Serving still loads.
  world.cluster.rollOut(MODEL, 'prod', change.id, '1', revision);
  world.cluster.serving({ version: '1', state: 'LOADING' });
  await world.until(
    change.id,
    ({ phase, reason }) => phase === 'verifying' && reason?.includes('says LOADING') === true,
  );
  world.cluster.serving({ version: '1', state: 'AVAILABLE' });
  const live = await world.until(change.id, ({ phase }) => phase === 'live');
  expect(live.history.map(({ phase }) => phase)).toEqual([
    'requested',
    'validated',
    'built',
    'proposed',
    'merged',
    'verifying',
    'live',
  ]);
  expect(await statuses(revision)).toMatchObject({ 'fairway/live': 'success' });
  await expect.poll(() => cardEvents(world)).toEqual(['approval', 'live']);
  expect((await world.onForge('GET', '/branches')).body.map((branch) => branch.name)).toEqual(['main']);
});

it('tells what is live, and gives model version, baseline and policy as they are in Git', async () => {
  const { body } = await world.api('GET', '/v1/models');
  const environments = body.models[0]?.environments ?? [];
  expect(environments.map((environment) => [environment.name, environment.live?.version])).toEqual([
    ['dev', undefined],
    ['prod', '1'],
  ]);
  const deployed = await world.api('GET', `/v1/models/${MODEL}/versions/1`);
  expect(deployed.body).toMatchObject({
    modelVersion: { version: '1', target: { event: '1' } },
    baseline: { rows: 3 },
  });
  expect((await world.api('GET', `/v1/models/${MODEL}/versions/2`)).status).toBe(404);
  expect((await world.api('GET', `/v1/models/${MODEL}/policy`)).body).toMatchObject({ text: 'rules: []\n' });
  expect((await world.api('GET', '/v1/changes?phase=live')).body.changes).toHaveLength(1);
});

it('binds commit, chain and manifests by trailers and version.yaml', async () => {
  const folder = await world.clone('chain');
  const show = (path: string) => world.git.ok(folder, ['show', `HEAD:models/${MODEL}/environments/prod/${path}`]);
  const message = await world.git.ok(folder, ['log', '-1', '--format=%B', 'HEAD^2']);
  const chain = await show('version.yaml');
  for (const trailer of ['Change', 'Model', 'Version', 'Digest', 'Environment', 'Approval', 'Intent']) {
    expect(message).toContain(`\nFairway-${trailer}: `);
  }
  expect(chain).toContain(/Fairway-Intent: (\S+)/.exec(message)?.[1]);
  expect(chain).toContain(/Fairway-Digest: (\S+)/.exec(message)?.[1]);
  expect(await show('deployment.yaml')).toContain(/image: (\S+)/.exec(chain)?.[1]);
});

it('opens no empty pull request for what is live already, and proves it all the same', async () => {
  const { body } = await approve(world, '1', 'prod', 'event-1-again');
  const change = await world.until(body.change.id, ({ phase }) => phase === 'live');
  expect(change.pullRequest).toBeUndefined();
  expect(change.history.find(({ phase }) => phase === 'merged')?.reason).toContain('nothing to merge');
  expect((await world.onForge('GET', '/pulls?state=all')).body).toHaveLength(1);
});

it('closes the pull request of a version when a newer one is proposed', async () => {
  const older = await world.until((await approve(world, '2', 'prod', 'event-2')).body.change.id, proposed);
  const newer = await world.until((await approve(world, '3', 'prod', 'event-3')).body.change.id, proposed);
  await world.until(older.id, ({ phase }) => phase === 'superseded');
  expect(await pullOf(older)).toMatchObject({ state: 'closed', merged: false });
  const comments = (await world.onForge('GET', `/issues/${older.pullRequest?.number}/comments`)).body;
  expect(comments.map((comment) => comment.body)).toEqual([
    expect.stringContaining(`**Superseded** by [pull request ${newer.pullRequest?.number}](`),
  ]);
  expect((await pullOf(newer)).body).toContain('now: version 1');
});

it('voids the approval when somebody edits the branch, until the branch is restored', async () => {
  const [change] = (await world.api('GET', '/v1/changes?phase=proposed')).body.changes;
  if (change === undefined) throw new Error('version 3 is proposed');
  const folder = await world.clone('edit');
  await world.git.ok(folder, ['checkout', '--quiet', change.branch]);
  const edited = await world.git.commit(folder, `models/${MODEL}/environments/prod/deployment.yaml`, 'replicas: 0\n');
  await world.git.ok(folder, ['push', '--quiet', 'origin', change.branch], world.forge.owner);
  await world.until(change.id, ({ reason }) => reason?.includes('was edited after the approval') === true);
  expect(await statuses(edited)).toEqual({ 'fairway/approval': 'failure' });
  const [comment] = (await world.onForge('GET', `/issues/${change.pullRequest?.number}/comments`)).body;
  expect(comment?.body).toMatch(/approval is void.*edited by `Test`.*deployment\.yaml/s);
  await world.git.ok(folder, ['push', '--quiet', '--force', 'origin', `HEAD^:${change.branch}`], world.forge.owner);
  await world.until(change.id, ({ reason }) => reason?.includes('waits for its merge') === true);
});

it('writes its commit anew when somebody edits the same folder on the default branch, once', async () => {
  const [change] = (await world.api('GET', '/v1/changes?phase=proposed')).body.changes;
  if (change === undefined) throw new Error('version 3 is proposed');
  const before = (await pullOf(change)).head.sha;
  const folder = await world.clone('elsewhere');
  // Does not conflict with what the change writes: it is another file of the folder.
  await world.git.commit(folder, `models/${MODEL}/environments/prod/NOTES.md`, 'by hand\n');
  await world.git.ok(folder, ['push', '--quiet', 'origin', 'main'], world.forge.owner);
  const edited = await world.git.ok(folder, ['rev-parse', 'HEAD']);
  await expect.poll(async () => (await pullOf(change)).head.sha, { timeout: 60_000 }).not.toBe(before);
  await world.until(change.id, ({ reason }) => reason?.includes('waits for its merge') === true);
  const { head } = await pullOf(change);
  expect(await world.git.ok(folder, ['fetch', '--quiet', 'origin', change.branch], world.forge.owner)).toBe('');
  expect(await world.git.ok(folder, ['rev-parse', 'FETCH_HEAD', 'FETCH_HEAD^'])).toBe(`${head.sha}\n${edited}`);
});

it('takes a closed pull request for a no', async () => {
  const [change] = (await world.api('GET', '/v1/changes?phase=proposed')).body.changes;
  await world.onForge('PATCH', `/pulls/${change?.pullRequest?.number}`, { state: 'closed' });
  const rejected = await world.until(change?.id ?? '', ({ phase }) => phase === 'rejected');
  expect(rejected.reason).toContain('closed without a merge');
  await expect.poll(() => cardEvents(world)).toContain('rejected');
});

it('merges by itself where the environment says so', async () => {
  const { body } = await approve(world, '2', 'dev', 'event-4');
  const change = await world.until(body.change.id, ({ phase }) => phase === 'merged');
  expect(await pullOf(change)).toMatchObject({ merged: true, merged_by: { login: world.forge.second.name } });
  world.cluster.rollOut(MODEL, 'dev', change.id, '2', change.pullRequest?.mergeCommit ?? '');
  await world.until(change.id, ({ phase }) => phase === 'live');
});

it('keeps its secrets to itself: none in the log, the database with its queue, the mirror, and what is in Git', async () => {
  const { forge, env, dir } = world;
  const secrets = [TOKEN, SECRET, forge.second.token, 'secret-of-the-flow', 'cluster-token'];
  const basic = Buffer.from(`${forge.second.name}:${forge.second.token}`).toString('base64');
  const clone = await world.clone('secrets');
  await world.git.ok(clone, ['fetch', '--quiet', 'origin', '+refs/heads/*:refs/heads/all/*'], forge.owner);
  const places = {
    log: world.output(),
    database: await everythingIn(env.DATABASE_URL),
    mirror: textOf(env.DATA_DIR),
    git: await world.git.ok(clone, ['log', '--all', '--patch', '--format=fuller']),
    images: textOf(join(dir, 'images')),
  };
  expect(places.database).toContain('event-1');
  expect(places.git).toContain('event-1');
  for (const [place, text] of Object.entries(places)) {
    for (const secret of [...secrets, basic]) expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
  }
});

/** Every row of every table, those of the queue too. */
async function everythingIn(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`,
    );
    const texts: string[] = [];
    for (const { name } of rows) {
      const found = await client.query<{ text: string }>('SELECT schema_to_xml($1, true, false, $2)::text AS text', [
        name,
        '',
      ]);
      texts.push(found.rows[0]?.text ?? '');
    }
    return texts.join('\n');
  } finally {
    await client.end();
  }
}

const textOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    .join('\n');

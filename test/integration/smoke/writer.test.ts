import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '@fairway/core';
import { sha256 } from '@fairway/core';
import { audit } from '@fairway/gitops-writer';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWriter } from '../../harness/writer-process.ts';
import { rolledOutDeployment, syncedApplication } from '../writer/cluster.ts';
import { folderOf, people, proposed, withStaging } from '../writer/ways.ts';
import { approve, MODEL, startWorld, type World } from '../writer/world.ts';

let world: World;
let team: ReturnType<typeof people>;
beforeAll(async () => {
  world = await startWorld({ writer: (env) => startWriter({ ...env, PROMOTE_EVERY_MS: '300' }) });
  team = people(world);
  for (const version of ['1', '2', '3']) await team.register(version);
  await team.edit(`models/${MODEL}/model.yaml`, (text) =>
    withStaging(text).replace('merge: auto }', 'merge: auto, promote: { after: 1s } }'),
  );
});
afterAll(() => world.stop());

const GOLDEN =
  '{"name":"one","inputs":{"X":[[1.0]]},"outputs":{"P_BAD1":[[1]]}}\r\n{"instances":[[NaN]],"outputs":{"P_BAD1":[[NaN]]}}';
const BETTER = '{"name":"two","inputs":{"X":[[2]]},"outputs":{"P_BAD1":[[2]]}}\n';
const SMOKE = ['golden.jsonl', 'smoke-service.yaml', 'smoke.yaml'];
const register = (version: string, golden: string) =>
  writeFileSync(join(world.registry, MODEL, version, 'golden.jsonl'), golden);

/** The files of an environment at a branch, by name. */
async function files(environment: string, at = 'origin/main'): Promise<Map<string, string>> {
  const folder = await team.clone();
  await world.git.ok(folder, ['checkout', '--quiet', '--detach', at]);
  const names = await world.git.ok(folder, ['ls-tree', '--name-only', 'HEAD', `${folderOf(environment)}/`]);
  return new Map(
    names
      .trim()
      .split('\n')
      .map((path) => [path.slice(folderOf(environment).length + 1), readFileSync(join(folder, path), 'utf8')]),
  );
}
const findings = async () => {
  const environment = { PATH: process.env['PATH'] ?? '', HOME: world.dir };
  return (await audit({ folder: await team.clone(), branch: 'main', signatures: false, environment })).findings;
};

it('names every golden case that does not fit the model when its version is approved', async () => {
  register(
    '3',
    '{"inputs":{"Y":[[1]]},"outputs":{"P_BAD1":[[1]]}}\n{"inputs":{"X":[[1]]},"outputs":{"Q":[[1]]}}\nno\n',
  );
  const { status, body } = await approve(world, '3', 'dev', 'with golden cases that cannot be asked');
  expect(status).toBe(422);
  for (const reason of [
    'golden.jsonl line 3 is no JSON object',
    'line 1: input Y is not in the signature',
    'line 2: output Q',
  ])
    expect(body.detail).toContain(reason);
});

it('renders nothing of a smoke test where a version has no golden cases', async () => {
  await team.deployed('1', 'dev');
  const names = [...(await files('dev')).keys()];
  expect(names.filter((name) => SMOKE.includes(name))).toEqual([]);
});

it('commits golden cases byte for byte, with the Job that asks them, and binds them into the chain', async () => {
  register('2', GOLDEN);
  const change = await world.until(await team.approved('2', 'prod'), proposed);
  const there = await files('prod', `origin/${change.branch}`);
  expect(there.get('golden.jsonl')).toBe(GOLDEN);
  expect(there.get('smoke.yaml')).toContain(`smoke-${change.id}`);
  expect(there.get('smoke.yaml')).toContain(sha256(GOLDEN));
  expect(there.get('kustomization.yaml')).toContain('golden.jsonl');
  expect((await team.pull(change)).body).toContain('2 golden cases are asked');
  await team.live(change.id);
  expect(await findings()).toEqual([]);
});

it('promotes them to the next environment as they were committed, whatever the registry has by now', async () => {
  await team.deployed('2', 'dev');
  register('2', BETTER);
  const promoted = async () => (await team.changes('environment=staging')).filter(({ version }) => version === '2');
  await expect.poll(promoted, { timeout: 60_000 }).toHaveLength(1);
  const [{ id } = { id: '' }] = await promoted();
  const change = await world.until(id, proposed);
  const there = await files('staging', `origin/${change.branch}`);
  expect(there.get('golden.jsonl')).toBe(GOLDEN);
  expect(there.get('smoke.yaml')).toContain(`smoke-${change.id}`);
});

it('takes better cases for the same bytes with a new approval', async () => {
  const change = await world.until(await team.approved('2', 'prod', 'with better cases'), proposed);
  expect((await files('prod', `origin/${change.branch}`)).get('golden.jsonl')).toBe(BETTER);
  const pull = await team.pull(change);
  await world.onForge('PATCH', `/pulls/${pull.number}`, { state: 'closed' });
  await world.until(change.id, ({ phase }) => phase === 'rejected');
});

/** Argo CD has applied everything, and the PostSync hook has failed. */
function hookFails({ id, environment, version }: Change, revision: string): void {
  const name = `${MODEL}-${environment}`;
  world.cluster.deployment(name, MODEL, rolledOutDeployment(MODEL, id));
  const message = `1 of 2 golden cases of ${MODEL} version ${version} failed: golden.jsonl line 1 (one): P_BAD1[0][0] is 3.0, wanted 1 ± 0.00011`;
  const terminated = { exitCode: 1, message };
  world.cluster.pods(name, [
    { metadata: { name: 'smoke' }, status: { containerStatuses: [{ name: 'smoke', state: { terminated } }] } },
  ]);
  const hook = { group: 'batch', version: 'v1', kind: 'Job', namespace: name, name: `smoke-${id}` };
  const result = {
    ...hook,
    hookType: 'PostSync',
    hookPhase: 'Failed',
    syncPhase: 'PostSync',
    message: 'backoff limit',
  };
  const operationState = {
    phase: 'Failed',
    message: 'one or more synchronization tasks completed unsuccessfully',
    finishedAt: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    syncResult: { revision, resources: [result] },
  };
  world.cluster.application(name, syncedApplication(name, revision, { operationState }));
}

it('fails the change in the words of the case that failed, and proposes the way back with the cases of what it restores', async () => {
  register('3', GOLDEN);
  const merged = await team.merged(await team.approved('3', 'prod'));
  hookFails(merged, merged.pullRequest?.mergeCommit ?? '');
  const failed = await world.until(merged.id, ({ phase }) => phase === 'failed');
  expect(failed.reason).toContain('The golden cases failed: 1 of 2 golden cases of home-equity version 3 failed');
  expect(failed.reason).toContain('line 1 (one): P_BAD1[0][0] is 3.0, wanted 1');
  await expect.poll(() => team.changes('kind=rollback'), { timeout: 60_000 }).toHaveLength(1);
  const [{ id } = { id: '' }] = await team.changes('kind=rollback');
  const back = await world.until(id, proposed);
  expect(back.version).toBe('2');
  const there = await files('prod', `origin/${back.branch}`);
  expect(there.get('golden.jsonl')).toBe(GOLDEN);
  const [live] = await team.changes('kind=deploy&environment=prod&phase=live');
  expect(there.get('smoke.yaml')).toContain(`smoke-${live?.id}`);
  await team.live(back.id, live?.id);
  expect(await findings()).toEqual([]);
});

it('knows them again after the database was lost', async () => {
  const [before] = await team.changes('environment=staging&phase=proposed');
  const drawn = await files('staging', `origin/${before?.branch}`);
  await world.stopWriter('SIGTERM');
  const client = new Client({ connectionString: world.env.DATABASE_URL });
  await client.connect();
  await client.query('DROP SCHEMA changes CASCADE');
  await client.end();
  await world.startWriter();
  expect((await world.api('POST', '/v1/rebuild')).status).toBe(200);
  // Something else on the default branch: the open branch is drawn anew, from what was restored.
  await team.edit(`models/${MODEL}/policy.yaml`, () => 'rules: [] # edited\n');
  const live = await team.live(before?.id ?? '');
  expect(live.phase).toBe('live');
  const there = await files('staging');
  expect(there).toEqual(drawn);
});

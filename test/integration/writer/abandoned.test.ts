import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { branchName, changeId } from '@fairway/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Crew, startCrew } from '../../faults/writer/crew.ts';
import { type Team, teamOf } from '../../faults/writer/team.ts';
import { MODEL, startWorld, type World } from './world.ts';
import { QUARANTINE } from './ways.ts';

let crew: Crew;
let world: World;
let team: Team;
beforeAll(async () => {
  crew = await startCrew();
  world = await startWorld({ writer: (env) => crew.begin(env) });
  team = teamOf(world);
});
afterAll(async () => {
  crew.dismiss();
  await world.stop();
});

const QUARANTINES = 'apiVersion: fairway.dev/v1\nkind: Quarantine\nentries:\n';
/** Registers a version, and answers its digest and how a person holds it back on the default branch. */
async function registered(version: string) {
  await team.register(version);
  const { digest = '' } = await team.deployed(version, 'dev', `to learn the digest of ${version}`);
  const entry = `  - { model: ${MODEL}, version: "${version}", digest: "${digest}", reason: "It is wrong" }\n`;
  return { digest, holdBack: () => team.edit(QUARANTINE, (text) => (text === '' ? QUARANTINES : text) + entry) };
}
const rejected = async (id: string) => {
  const change = await team.ended(id, 'rejected');
  expect(await crew.disarm()).toEqual({ died: true, accident: undefined });
  expect(change.reason).toContain('is quarantined since');
  return change;
};

it('leaves the pull request of somebody else open that has the name of a change which comes to nothing', async () => {
  const { digest, holdBack } = await registered('1');
  const key = { kind: 'deploy' as const, model: MODEL, version: '1', digest, environment: 'prod', event: 'taken' };
  const branch = branchName(key, changeId(key));
  const folder = await world.clone('stranger');
  await world.git.commit(folder, `models/${MODEL}/environments/prod/deployment.yaml`, 'replicas: 0\n');
  await world.git.ok(folder, ['push', '--quiet', 'origin', `HEAD:${branch}`], world.forge.owner);
  const theirs = { head: branch, base: 'main', title: 'Mine', body: '<!-- fairway:status -->' };
  const { number } = (await world.onForge('POST', '/pulls', theirs)).body;

  await crew.dieAt('intake.acceptApproval after', holdBack);
  const { id, branch: ours } = await team.approve('1', 'prod', 'taken');
  expect(ours).toBe(branch);
  expect(await rejected(id)).not.toHaveProperty('pullRequest');
  expect((await world.onForge('GET', `/pulls/${number}`)).body).toMatchObject({ state: 'open', title: 'Mine' });
  expect((await world.onForge('GET', `/issues/${number}/comments`)).body).toEqual([]);
  expect(team.origin.pushes(branch)).toEqual(['create']);
});

it('voids the approval when its very commit is put upon one of somebody else', async () => {
  await team.register('4');
  const { id, branch } = await team.approve('4', 'prod', 'undermined');
  const { pullRequest } = await team.proposed(id);
  const folder = await world.clone('undermined');
  const git = (...args: string[]) => world.git.ok(folder, args, world.forge.owner);
  const theirs = await world.git.commit(folder, 'README.md', 'Theirs\n');
  await git('checkout', '--quiet', branch);
  const ours = await git('cat-file', 'commit', 'HEAD');
  const tree = await git('merge-tree', '--write-tree', theirs, 'HEAD');
  const copy = ours.replace(/^tree .*/, `tree ${tree}`).replace(/^parent .*/m, `parent ${theirs}`);
  writeFileSync(join(folder, 'copy'), `${copy}\n`);
  const head = await git('hash-object', '-t', 'commit', '-w', 'copy');
  await git('push', '--quiet', '--force', 'origin', `${head}:${branch}`);
  const voided = await team.until(id, ({ reason }) => reason?.includes('was edited after the approval') === true);
  expect(voided.reason).toContain(`#${pullRequest?.number} was edited after the approval by `);
});

it('leaves no branch behind that a killed writer had pushed and not written down', async () => {
  const { holdBack } = await registered('2');
  await crew.dieAt('repository.push create after', holdBack);
  const { id, branch } = await team.approve('2', 'prod', 'pushed');
  await rejected(id);
  expect(team.origin.pushes(branch)).toEqual(['create', 'delete']);
});

it('closes the pull request that a killed writer had opened and not written down', async () => {
  const { holdBack } = await registered('3');
  await crew.dieAt('forge.open after', holdBack);
  const { id, branch } = await team.approve('3', 'prod', 'opened');
  const { pullRequest } = await rejected(id);
  expect((await world.onForge('GET', `/pulls/${pullRequest?.number}`)).body).toMatchObject({ state: 'closed' });
  expect(team.origin.pushes(branch)).toEqual(['create', 'delete']);
});

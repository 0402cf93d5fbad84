import { afterAll, beforeAll, expect, it } from 'vitest';
import { approve, cardEvents, MODEL, startWorld, type World } from './world.ts';
import { folderOf, people, proposed, withStaging } from './ways.ts';

const MODEL_YAML = `models/${MODEL}/model.yaml`;

let world: World;
let team: ReturnType<typeof people>;
beforeAll(async () => {
  world = await startWorld();
  team = people(world);
  for (const version of ['1', '2']) await team.register(version);
  await team.edit(MODEL_YAML, (text) => `# ours to edit\n${withStaging(text)}`);
});
afterAll(() => world.stop());

const retire = (fields: object = {}) =>
  world.api('POST', '/v1/changes', {
    kind: 'retire',
    model: MODEL,
    environment: 'dev',
    dedupeKey: 'ticket-1',
    actor: 'carol@example.com',
    reason: 'Nobody calls it',
    confirm: `${MODEL}/dev`,
    ...fields,
  });
const show = async (path: string) => world.git.run(await team.clone(), ['show', `HEAD:${path}`]);

it.each([
  ['another confirmation', { confirm: 'yes' }, 400, `write it out: ${MODEL}/dev.`],
  ['the confirmation of another environment', { confirm: `${MODEL}/prod` }, 400, `write it out: ${MODEL}/dev.`],
  ['an unknown environment', { environment: 'moon', confirm: `${MODEL}/moon` }, 404, 'has: dev, staging, prod.'],
])('refuses %s', async (_, fields, status, sentence) => {
  const answer = await retire(fields);
  expect(answer.status).toBe(status);
  expect(answer.body.detail).toContain(sentence);
  expect(await team.changes('kind=retire')).toEqual([]);
});

it('asks for review also where the environment merges by itself, and says what will be deleted', async () => {
  await team.deployed('1', 'dev');
  const answers = await Promise.all(Array.from({ length: 10 }, () => retire()));
  expect(new Set(answers.map(({ body }) => body.change.id)).size).toBe(1);
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
  const change = await world.until(
    answers[0]?.body.change.id ?? '',
    ({ reason }) => reason?.includes('waits') === true,
  );
  const pull = await team.pull(change);
  expect(pull.title).toBe(`Retire ${MODEL} from dev`);
  expect(pull.body).toContain('**This deletes what serves.**');
  expect(pull.body).toContain(`\`${MODEL}-dev\``);
  const folder = await team.clone();
  const main = await world.git.ok(folder, ['show', `origin/main:${MODEL_YAML}`]);
  const branch = await world.git.ok(folder, ['show', `origin/${change.branch}:${MODEL_YAML}`]);
  const kept = main.split('\n').filter((line) => !line.includes('name: dev'));
  expect(branch).toBe(kept.join('\n'));
  const left = ['ls-tree', '-r', '--name-only', `origin/${change.branch}`, '--', folderOf('dev')];
  expect(await world.git.ok(folder, left)).toBe('');
});

it('is done when Application and Deployment are gone, and supersedes what was on its way there', async () => {
  const [change] = await team.changes('kind=retire');
  const [live] = await team.changes('environment=dev&phase=live');
  await team.edit(MODEL_YAML, (text) => text.replace('merge: auto', 'merge: review'));
  const open = await world.until(await team.approved('2', 'dev', 'too late'), proposed);
  const id = change?.id ?? '';
  const merged = await team.merged(id);
  const waits = (what: string) => world.until(id, ({ reason }) => reason?.includes(what) === true);
  expect((await waits('still has Application home-equity-dev')).phase).toBe('merged');
  world.cluster.removeApplication(`${MODEL}-dev`);
  await waits('Deployment home-equity is still in namespace home-equity-dev');
  world.cluster.removeDeployment(`${MODEL}-dev`, MODEL);
  const done = await world.until(id, ({ phase }) => phase === 'live');
  expect(done.reason).toContain('retired');
  expect(await team.comments(done)).toEqual([expect.stringContaining('**Done.** retired: Application and Deployment')]);
  expect((await world.until(live?.id ?? '', ({ phase }) => phase === 'superseded')).reason).toContain(
    `Retired by change ${id}`,
  );
  const ended = await world.until(open.id, ({ phase }) => phase === 'superseded');
  expect(ended.reason).toBe(`dev of ${MODEL} was retired (change ${merged.id}).`);
  expect(await team.pull(ended)).toMatchObject({ state: 'closed', merged: false });
  expect((await show(`${folderOf('dev')}/version.yaml`)).code).not.toBe(0);
  const { body } = await world.api('GET', '/v1/models');
  expect(body.models[0]?.environments.map(({ name }) => name)).toEqual(['staging', 'prod']);
  await expect.poll(() => cardEvents(world)).toContain('retired');
  const refused = await approve(world, '2', 'dev', 'far too late');
  expect(refused).toMatchObject({ status: 404, body: { detail: expect.stringContaining('has: staging, prod.') } });
});

it('needs to be told that an environment is the last', async () => {
  const staging = await retire({ environment: 'staging', dedupeKey: 'ticket-2', confirm: `${MODEL}/staging` });
  await team.merged(staging.body.change.id);
  await world.until(staging.body.change.id, ({ phase }) => phase === 'live');
  const last = { environment: 'prod', dedupeKey: 'ticket-3' };
  await expect.poll(async () => (await retire({ ...last, confirm: `${MODEL}/prod` })).status).toBe(400);
  const answer = await retire({ ...last, confirm: `${MODEL}/prod/last` });
  expect(answer.status).toBe(202);
  await team.merged(answer.body.change.id);
  await world.until(answer.body.change.id, ({ phase }) => phase === 'live');
  expect((await show(MODEL_YAML)).out).toMatch(/^# ours to edit\n[^]*\nenvironments: \[\]$/);
});

import { createHmac } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerVersion } from './model.ts';
import { approve, MODEL, SECRET, startWorld, TOKEN, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await registerVersion(world.registry, MODEL, '1', 1);
  mkdirSync(join(world.registry, MODEL, '9'));
});
afterAll(() => world.stop());

const valid = { eventId: 'e', model: MODEL, version: '1', environment: 'prod', actor: 'alice' };
const post = (body: unknown) => world.api('POST', '/v1/approvals', body);

describe('an approval', () => {
  it.each([
    ['an unknown model', { model: 'other' }, 404, `Model "other" is not in the GitOps repository; it knows: ${MODEL}.`],
    [
      'an unknown version',
      { version: '5' },
      404,
      'Version 5 of model home-equity is not registered; the registry knows: 1, 9.',
    ],
    ['an unknown environment', { environment: 'moon' }, 404, 'has: dev, prod.'],
    ['a folder that is no SavedModel', { version: '9' }, 422, 'no saved_model.pb'],
    ['a path for a name', { model: '../etc' }, 400, 'Model "../etc" is not usable'],
    ['a version that is no number', { version: '-1' }, 400, 'TensorFlow Serving needs a positive whole number'],
    ['two lines of actor', { actor: 'a\nFairway-Change: x' }, 400, 'actor: must be one line'],
    ['an unknown field', { colour: 'red' }, 400, 'there is no field "colour"'],
    ['nothing in a field', { eventId: '' }, 400, 'eventId'],
  ])('with %s is refused in a sentence', async (_, change, status, sentence) => {
    const answer = await post({ ...valid, ...change });
    expect(answer).toMatchObject({ status, body: { status, type: 'about:blank' } });
    expect(answer.body.detail).toContain(sentence);
    expect((await world.api('GET', '/v1/changes')).body.changes).toEqual([]);
  });

  it('is refused without the token, with a broken body, and above 1 MiB', async () => {
    const send = (headers: Record<string, string>, body: string) =>
      fetch(`${world.url()}/v1/approvals`, { method: 'POST', headers, body });
    expect((await send({}, '{}')).status).toBe(401);
    expect((await send({ authorization: 'Bearer wrong' }, '{}')).status).toBe(401);
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const broken = await send(headers, '{');
    expect(broken.status).toBe(400);
    expect(broken.headers.get('content-type')).toContain('application/problem+json');
    expect((await send(headers, JSON.stringify({ evidence: 'x'.repeat(2 ** 21) }))).status).toBe(413);
  });

  it('of one event cannot stand for two decisions', async () => {
    expect((await approve(world, '1', 'prod', 'twice')).status).toBe(202);
    const second = await approve(world, '1', 'dev', 'twice');
    expect(second.status).toBe(400);
    expect(second.body.detail).toContain('already stands for the approval of home-equity 1 for prod');
  });
});

it('says where nothing is', async () => {
  expect(await world.api('GET', '/v1/changes/nope')).toMatchObject({ status: 404, body: { code: 'change.unknown' } });
  expect((await world.api('GET', '/v1/nothing')).status).toBe(404);
  expect((await world.api('GET', '/v1/models/other/policy')).status).toBe(404);
  expect((await world.api('GET', '/v1/changes?colour=red')).status).toBe(400);
});

it('takes webhooks only with the signature of the shared secret', async () => {
  const body = JSON.stringify({ ref: 'refs/heads/main' });
  const send = (signature: string) =>
    fetch(`${world.url()}/v1/webhooks/gitea`, { method: 'POST', headers: { 'x-gitea-signature': signature }, body });
  const sign = (secret: string) => createHmac('sha256', secret).update(body).digest('hex');
  expect((await send(sign(SECRET))).status).toBe(204);
  expect((await send(sign('other'))).status).toBe(401);
  expect((await send('')).status).toBe(401);
});

it('answers health, readiness and metrics without a token', async () => {
  expect((await fetch(`${world.url()}/healthz`)).status).toBe(200);
  expect((await fetch(`${world.url()}/readyz`)).status).toBe(200);
  expect(await (await fetch(`${world.url()}/metrics`)).text()).toContain('fairway_writer_phase_entered_total');
});

it('lets a change wait while model.yaml is broken on the default branch', async () => {
  const { id } = (await approve(world, '1', 'prod', 'twice')).body.change;
  await world.until(id, ({ reason }) => reason?.includes('waits for its merge') === true);
  const folder = await world.clone('break');
  const [push, path] = [['push', '--quiet', 'origin', 'main'], `models/${MODEL}/model.yaml`];
  const good = await world.git.ok(folder, ['show', `HEAD:${path}`]);
  await world.git.commit(folder, path, 'kind: 5\n');
  await world.git.ok(folder, push, world.forge.owner);
  const broken = await world.until(id, ({ reason }) => reason?.includes('is not usable') === true);
  expect(broken.phase).toBe('proposed');
  await world.git.commit(folder, path, `${good}\n`);
  await world.git.ok(folder, push, world.forge.owner);
  await world.until(id, ({ reason }) => reason?.includes('waits for its merge') === true);
});

it('refuses a model.yaml with problems in one sentence', async () => {
  const folder = await world.clone('broken');
  await world.git.commit(folder, 'models/broken/model.yaml', 'kind: Model\nkind: Model\n');
  await world.git.ok(folder, ['push', '--quiet', 'origin', 'main'], world.forge.owner);
  await expect.poll(async () => (await post({ ...valid, eventId: 'f', model: 'broken' })).status).toBe(422);
});

import { createHmac, randomUUID } from 'node:crypto';
import type { Change } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { undocumented } from '../../harness/api-shapes.ts';
import { startWriter } from '../../harness/writer-process.ts';
import { registerVersion } from './model.ts';
import { approve, MODEL, SECRET, startWorld, type World } from './world.ts';

const PREVIOUS = 'webhook-secret-of-last-year';
let world: World;
beforeAll(async () => {
  world = await startWorld({ writer: (env) => startWriter({ ...env, WEBHOOK_SECRET_PREVIOUS: PREVIOUS }) });
  for (const version of ['1', '2']) await registerVersion(world.registry, MODEL, version, Number(version));
});
afterAll(() => world.stop());

type Delivery = {
  readonly body?: string;
  readonly path?: string;
  readonly id?: string;
  readonly secret?: string;
  readonly headers?: Record<string, string>;
};

/** A delivery as Gitea sends it: GitHub's headers come along. */
async function deliver(delivery: Delivery = {}) {
  const { path = 'gitea', id = randomUUID(), secret = SECRET } = delivery;
  const body = delivery.body ?? JSON.stringify({ ref: 'refs/heads/main', after: randomUUID() });
  const headers = delivery.headers ?? {
    'x-gitea-event': 'push',
    'x-gitea-delivery': id,
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-gitea-signature': createHmac('sha256', secret).update(body).digest('hex'),
  };
  const at = `/v1/webhooks/${path}`;
  const answer = await fetch(`${world.url()}${at}`, { method: 'POST', headers, body });
  const text = await answer.text();
  const read = text === '' ? undefined : (JSON.parse(text) as { detail: string });
  const type = answer.headers.get('content-type') ?? '';
  expect(undocumented('POST', at, { status: answer.status, type, body: read })).toEqual([]);
  return { status: answer.status, detail: read?.detail ?? '' };
}

const branchBody = (branch: string) => JSON.stringify({ ref: `refs/heads/${branch}`, after: randomUUID() });
/** The branches of the deliveries that were taken, with how many changes each has woken. */
const taken = () =>
  world
    .output()
    .split('\n')
    .filter((line) => line.includes('"msg":"webhook"'))
    .map((line) => JSON.parse(line) as { branches: string[]; due: number });
const woken = (branch: string) => taken().findLast(({ branches }) => branches.includes(branch))?.due;

describe('a delivery', () => {
  it('is taken when either secret has signed it, and by no other', async () => {
    expect(await deliver()).toMatchObject({ status: 204 });
    expect(await deliver({ secret: PREVIOUS })).toMatchObject({ status: 204 });
    const refused = await deliver({ secret: 'other' });
    expect(refused).toMatchObject({
      status: 401,
      detail: expect.stringContaining('give the forge the WEBHOOK_SECRET'),
    });
    expect(await deliver({ headers: {} })).toMatchObject({ status: 401 });
  });

  it("of Gitea is Gitea's though it says X-GitHub-Event, and Forgejo is Gitea's kin", async () => {
    expect(await deliver({ path: 'gitea' })).toMatchObject({ status: 204 });
    expect(await deliver({ path: 'forgejo' })).toMatchObject({ status: 204 });
  });

  it.each([
    ['GitHub', 'github', { 'x-github-event': 'push' }],
    ['GitHub at our path', 'gitea', { 'x-github-event': 'push' }],
    ['GitLab', 'gitlab', { 'x-gitlab-event': 'Push Hook' }],
    ['GitLab at our path', 'gitea', { 'x-gitlab-event': 'Push Hook' }],
  ])('of %s is refused where Gitea is configured', async (_, path, headers) => {
    const { status, detail } = await deliver({ path, headers });
    expect(status).toBe(400);
    expect(detail).toContain('This writer listens to gitea (FORGE)');
  });

  it('of an unknown forge is refused', async () => {
    expect(await deliver({ path: 'sourceforge' })).toMatchObject({ status: 400 });
  });

  it('above 1 MiB is not read at all, signed or not', async () => {
    const body = JSON.stringify({ ref: 'x'.repeat(2 ** 20) });
    expect(await deliver({ body })).toMatchObject({ status: 413 });
    expect(await deliver({ body: `${' '.repeat(2 ** 20 - 20)}{"ref":"y"}` })).toMatchObject({ status: 204 });
  });
});

describe('a hint', () => {
  const waits = ({ reason }: Change) => reason?.includes('waits for its merge') === true;

  it('about a branch wakes its change, and none when no change has it', async () => {
    const { change } = (await approve(world, '1', 'prod', 'event-1')).body;
    await world.until(change.id, waits);
    await deliver({ body: branchBody(change.branch) });
    await expect.poll(() => woken(change.branch)).toBe(1);
    await deliver({ body: JSON.stringify({ action: 'created', comment: { body: 'hello' } }) });
    await deliver({ body: branchBody('feature/x') });
    await expect.poll(() => woken('feature/x')).toBe(0);
    // The comment in between named no branch, and woke nobody.
    expect(taken().at(-2)?.branches).toEqual([change.branch]);
  });

  it('about the default branch wakes what waits for it, and leaves open pull requests alone', async () => {
    const { change } = (await approve(world, '2', 'dev', 'event-2')).body;
    await world.until(change.id, ({ phase }) => phase === 'merged');
    await deliver({ body: branchBody('main') });
    await expect.poll(() => woken('main')).toBe(1);
  });

  it('comes once: stolen and delivered again, under its own id or another, it does nothing', async () => {
    const [{ branch } = { branch: '' }] = (await world.api('GET', '/v1/changes?environment=prod')).body.changes;
    const stolen = { body: branchBody(branch), id: randomUUID() };
    const before = taken().length;
    await deliver(stolen);
    expect(await deliver(stolen)).toMatchObject({ status: 204 });
    expect(await deliver({ ...stolen, id: randomUUID() })).toMatchObject({ status: 204 });
    expect(await deliver({ body: branchBody(branch), id: stolen.id })).toMatchObject({ status: 204 });
    await expect.poll(() => world.output().split('came again and was left alone').length - 1).toBe(3);
    expect(taken()).toHaveLength(before + 1);
  });

  it('that was taken is known after a restart', async () => {
    const once = { body: branchBody('main'), id: randomUUID() };
    await deliver(once);
    await world.stopWriter('SIGKILL');
    await world.startWriter();
    expect(await deliver(once)).toMatchObject({ status: 204 });
    await expect.poll(() => world.output()).toContain('came again and was left alone');
  });
});

import { type Change, pause } from '@fairway/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerVersion } from './model.ts';
import { people } from './ways.ts';
import { approve, MODEL, startWorld, type World } from './world.ts';

/** What the writer knows of the default branch is a second old at most. */
const SEEN_MS = 1100;

let world: World;
beforeAll(async () => {
  world = await startWorld();
  for (const version of ['1', '2']) await registerVersion(world.registry, MODEL, version, Number(version));
});
afterAll(() => world.stop());

/** A change that has been merged, rolled out and proven, and the manifests of prod that it has left. */
async function live(
  version: string,
  event: string,
): Promise<{ change: Change; show: (path: string) => Promise<string> }> {
  const { body } = await approve(world, version, 'prod', event);
  const open = await world.until(body.change.id, ({ phase }) => phase === 'proposed');
  await world.onForge('POST', `/pulls/${open.pullRequest?.number}/merge`, { Do: 'merge' });
  const merged = await world.until(open.id, ({ phase }) => phase === 'merged');
  world.cluster.rollOut(MODEL, 'prod', merged.id, version, merged.pullRequest?.mergeCommit ?? '');
  const change = await world.until(open.id, ({ phase }) => phase === 'live');
  const folder = await world.clone(event);
  const show = (path: string) => world.git.ok(folder, ['show', `HEAD:models/${MODEL}/environments/prod/${path}`]);
  return { change, show };
}

it('puts a version beside the one before, and gives it everything when it is approved again', async () => {
  const text = 'serving: { replicas: 2, route: {}, canary: { weight: 10 } }\n';
  await people(world).edit(`models/${MODEL}/model.yaml`, (before) =>
    before.includes(text) ? before : `${before}${text}`,
  );
  await pause(SEEN_MS);

  const before = await live('1', 'event-1');
  expect(await before.show('kustomization.yaml')).not.toContain('stable');
  expect(await before.show('route.yaml')).toContain('weight: 100');

  const begun = await live('2', 'event-2');
  expect(await begun.show('deployment.yaml')).toContain(`fairway.dev/change: ${begun.change.id}`);
  expect(await begun.show('stable-deployment.yaml')).toContain(`fairway.dev/change: ${before.change.id}`);
  expect(await begun.show('stable-deployment.yaml')).toContain(before.change.image);
  expect(await begun.show('service.yaml')).toContain(`app.kubernetes.io/name: ${MODEL}-stable`);
  expect(await begun.show('route.yaml')).toContain('weight: 10');
  const { body } = (await world.onForge('GET', `/pulls/${begun.change.pullRequest?.number}`)).body;
  expect(body).toContain('10 % of the requests from outside; version 1 keeps the others');

  const whole = await live('2', 'event-2-whole');
  expect(whole.change.id).not.toBe(begun.change.id);
  expect(await whole.show('kustomization.yaml')).not.toContain('stable');
  expect(await whole.show('route.yaml')).toContain('weight: 100');
});

import { join } from 'node:path';
import type { Change } from '@fairway/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWriter, type WriterProcess } from '../../harness/writer-process.ts';
import { registerVersion } from './model.ts';
import { approve, cardEvents, MODEL, startWorld, TOKEN, type World } from './world.ts';

let world: World;
let second: WriterProcess;
beforeAll(async () => {
  world = await startWorld();
  second = await startWriter({ ...world.env, DATA_DIR: join(world.dir, 'second writer') });
  for (const version of ['1', '2', '3', '4']) await registerVersion(world.registry, MODEL, version, Number(version));
});
afterAll(async () => {
  await second.end('SIGKILL');
  await world.stop();
});

const approveAtSecond = async (version: string, eventId: string): Promise<Change> => {
  const answer = await fetch(`http://127.0.0.1:${second.port}/v1/approvals`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ eventId, model: MODEL, version, environment: 'dev', actor: 'alice@example.com' }),
  });
  return ((await answer.json()) as { change: Change }).change;
};

const pullsOf = async (version: string) =>
  (await world.onForge('GET', '/pulls?state=all')).body.filter(
    ({ title }) => title === `Deploy ${MODEL} ${version} to dev`,
  );

it('makes one change, one pull request and one card of an approval that both get ten times', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, async (_, i) =>
      i % 2 === 0 ? (await approve(world, '1', 'dev', 'twice')).body.change : approveAtSecond('1', 'twice'),
    ),
  );
  const ids = [...new Set(answers.map(({ id }) => id))];
  expect(ids).toHaveLength(1);
  const change = await world.until(ids[0] ?? '', ({ phase }) => phase === 'merged');
  world.cluster.rollOut(MODEL, 'dev', change.id, '1', change.pullRequest?.mergeCommit ?? '');
  await world.until(change.id, ({ phase }) => phase === 'live');
  expect(await pullsOf('1')).toHaveLength(1);
  await expect.poll(() => cardEvents(world)).toEqual(['approval', 'live']);
});

it('goes on at once with what a killed replica had in hand', async () => {
  const changes: Change[] = [];
  for (const version of ['2', '3', '4']) changes.push(await approveAtSecond(version, `killed-${version}`));
  await second.end('SIGKILL');
  const newest = changes.at(-1)?.id ?? '';
  const change = await world.until(newest, ({ phase }) => phase === 'merged');
  world.cluster.rollOut(MODEL, 'dev', change.id, '4', change.pullRequest?.mergeCommit ?? '');
  await world.until(newest, ({ phase }) => phase === 'live');
  for (const { id } of changes.slice(0, -1))
    await world.until(id, ({ phase }) => phase === 'superseded' || phase === 'live' || phase === 'merged');
  for (const version of ['2', '3', '4']) expect((await pullsOf(version)).length).toBeLessThanOrEqual(1);
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWorkflow } from '../../harness/workflow.ts';
import { startWriter } from '../../harness/writer-process.ts';
import { registerVersion } from './model.ts';
import { people } from './ways.ts';
import { MODEL, startWorld, type World } from './world.ts';

/** An Application has to stay healthy for a while before its change is live. */
const PATIENCE = { timeout: 60_000 };
const SECRET = 'secret-of-the-answers';
let workflow: Awaited<ReturnType<typeof startWorkflow>>;
let world: World;
beforeAll(async () => {
  workflow = await startWorkflow(SECRET);
  const more = { ANSWER_ORIGINS: `${workflow.origin}, https://viya.example.com`, ANSWER_SECRET: SECRET };
  world = await startWorld({ writer: (env) => startWriter({ ...env, ...more }) });
  for (const version of ['1', '2', '3', '4']) await registerVersion(world.registry, MODEL, version, Number(version));
});
afterAll(async () => {
  await world.stop();
  workflow.stop();
});

const approve = (
  version: string,
  environment: string,
  eventId: string,
  answerTo = `${workflow.origin}/done?ticket=${eventId}`,
) => world.api('POST', '/v1/approvals', { eventId, model: MODEL, version, environment, actor: 'alice', answerTo });
const told = () => workflow.calls.map(({ path, answer }) => `${path} ${String(answer['outcome'])}`);
const answers = async () => (await world.api('GET', '/v1/notifications?channel=answer')).body.notifications;

it('tells the workflow that its version is live, once, signed, with a key of its own', async () => {
  const { change } = (await approve('1', 'dev', 'e-1')).body;
  const { pullRequest } = await world.until(change.id, ({ phase }) => phase === 'merged');
  world.cluster.rollOut(MODEL, 'dev', change.id, '1', pullRequest?.mergeCommit ?? '');
  await expect.poll(told, PATIENCE).toEqual(['/done?ticket=e-1 live']);
  const [call] = workflow.calls;
  expect(call).toMatchObject({
    signed: true,
    answer: {
      eventId: 'e-1',
      changeId: change.id,
      model: MODEL,
      version: '1',
      environment: 'dev',
      outcome: 'live',
      pullRequest: pullRequest?.url,
      mergeCommit: pullRequest?.mergeCommit,
      reason: expect.any(String),
      at: expect.any(String),
    },
  });
  expect(call?.key).toBe(call?.answer['idempotencyKey']);
});

it('tells that a version failed, and then that it was rolled back, under keys of their own', async () => {
  const they = people(world);
  const [first] = await they.changes('environment=dev&phase=live');
  const bad = (await approve('4', 'dev', 'e-8')).body.change;
  await they.broken(bad.id);
  await expect.poll(told, PATIENCE).toContain('/done?ticket=e-8 failed');
  const [back] = await they.changes('kind=rollback');
  await they.live(back?.id ?? '', first?.id);
  await expect.poll(told, PATIENCE).toContain('/done?ticket=e-8 rolled-back');
  const calls = workflow.calls.filter(({ answer }) => answer['eventId'] === 'e-8');
  expect(calls.map(({ answer }) => answer['outcome'])).toEqual(['failed', 'rolled-back']);
  expect(new Set(calls.map(({ key }) => key)).size).toBe(2);
  expect(calls.every(({ signed }) => signed)).toBe(true);
});

it('tries again under the same key, keeps the reason meanwhile, and shows both channels', async () => {
  workflow.statuses.push(503, 500);
  const { change } = (await approve('2', 'prod', 'e-2')).body;
  const { pullRequest } = await world.until(change.id, ({ phase }) => phase === 'proposed');
  await world.onForge('PATCH', `/pulls/${pullRequest?.number}`, { state: 'closed' });
  await expect
    .poll(async () => (await answers())[0], PATIENCE)
    .toMatchObject({
      channel: 'answer',
      event: 'rejected',
      state: 'accepted',
      attempts: 3,
      link: pullRequest?.url,
    });
  const calls = workflow.calls.filter(({ answer }) => answer['eventId'] === 'e-2');
  expect(calls.map(({ answer }) => answer['outcome'])).toEqual(['rejected', 'rejected', 'rejected']);
  expect(new Set(calls.map(({ key }) => key)).size).toBe(1);
  const { notifications } = (await world.api('GET', '/v1/notifications')).body;
  expect(new Set(notifications.map(({ channel }) => channel))).toEqual(new Set(['answer', 'teams']));
});

it('gives up at once what the workflow refuses, and says so', async () => {
  workflow.statuses.push(404);
  const older = (await approve('2', 'prod', 'e-3')).body.change;
  await world.until(older.id, ({ phase }) => phase === 'proposed');
  const newer = (await approve('3', 'prod', 'e-4')).body.change;
  await world.until(older.id, ({ phase }) => phase === 'superseded');
  await expect
    .poll(async () => (await answers())[0], PATIENCE)
    .toMatchObject({
      event: 'superseded',
      state: 'dead',
      reason: expect.stringContaining('answered 404, which no retry will mend'),
    });
  // A dead answer holds up no other, of another change or on another channel.
  const { pullRequest } = await world.until(newer.id, ({ phase }) => phase === 'proposed');
  await world.onForge('PATCH', `/pulls/${pullRequest?.number}`, { state: 'closed' });
  await expect.poll(told, PATIENCE).toContain('/done?ticket=e-4 rejected');
});

it('sends what a killed writer had not sent', async () => {
  const { change } = (await approve('3', 'prod', 'e-5')).body;
  const { pullRequest } = await world.until(change.id, ({ phase }) => phase === 'proposed');
  await world.stopWriter('SIGKILL');
  await world.onForge('PATCH', `/pulls/${pullRequest?.number}`, { state: 'closed' });
  await world.startWriter();
  await expect.poll(told, PATIENCE).toContain('/done?ticket=e-5 rejected');
});

it('refuses an approval that asks for an answer elsewhere', async () => {
  const elsewhere = await approve('3', 'prod', 'e-6', 'http://169.254.169.254/latest');
  expect(elsewhere).toMatchObject({ status: 400, body: { code: 'input.invalid' } });
  expect(elsewhere.body.detail).toContain('answerTo: http://169.254.169.254 is not among the origins');
  expect((await approve('3', 'prod', 'e-7', 'ring me')).body.detail).toContain('must be an http or https URL');
});

it('keeps ticket and secret out of log and notifications', async () => {
  expect(world.output()).not.toContain(SECRET);
  expect(world.output()).not.toContain('ticket=');
  expect(JSON.stringify(await answers())).not.toContain('ticket=');
});

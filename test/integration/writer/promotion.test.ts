import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWriter } from '../../harness/writer-process.ts';
import { MODEL, startWorld, type World } from './world.ts';
import { seconds, syncedApplication } from './cluster.ts';
import { people, proposed, withStaging } from './ways.ts';

const EVERY_MS = '200';

/** A monitor that says what a test lets it say. */
async function startMonitor() {
  const says: { windows: object[]; status: number; asked: number } = { windows: [], status: 200, asked: 0 };
  const server: Server = createServer((request, response) => {
    says.asked += 1;
    const allowed = request.headers.authorization === 'Bearer monitor-token';
    response.writeHead(allowed ? says.status : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ windows: says.windows }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { says, url: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

let world: World;
let team: ReturnType<typeof people>;
let monitor: Awaited<ReturnType<typeof startMonitor>>;
beforeAll(async () => {
  monitor = await startMonitor();
  const more = { PROMOTE_EVERY_MS: EVERY_MS, MONITOR_URL: monitor.url, MONITOR_TOKEN: 'monitor-token' };
  world = await startWorld({ writer: (env) => startWriter({ ...env, ...more }) });
  team = people(world);
  for (const version of ['1', '2', '3', '4', '5']) await team.register(version);
  await team.edit(`models/${MODEL}/model.yaml`, (text) =>
    withStaging(text).replace('merge: auto }', 'merge: auto, promote: { after: 2s } }'),
  );
});
afterAll(async () => {
  await world.stop();
  monitor.stop();
});

const inStaging = () => team.changes('environment=staging');
/** The promoter has looked so often that anything due would have been proposed. */
const hasLooked = async () => {
  const { asked } = monitor.says;
  await expect.poll(() => monitor.says.asked, { timeout: 60_000 }).toBeGreaterThan(asked + 2);
};
const window = (version: string, state: string, period: string) => ({
  window: { model: MODEL, version, environment: 'dev', period, start: '', end: '' },
  state,
});

it('waits while a version is in alert, or while nobody can tell', async () => {
  monitor.says.windows = [window('1', 'healthy', '2026Q1'), window('1', 'alert', '2026Q2')];
  await team.deployed('1', 'dev');
  await hasLooked();
  monitor.says.status = 503;
  await hasLooked();
  expect(await inStaging()).toEqual([]);
});

it('waits while what has soaked is not live any more', async () => {
  const name = `${MODEL}-dev`;
  const [{ pullRequest } = { pullRequest: undefined }] = await team.changes('environment=dev&phase=live');
  const says = (status: Parameters<typeof syncedApplication>[2]) =>
    world.cluster.application(name, syncedApplication(name, pullRequest?.mergeCommit ?? '', status));
  says({ health: { status: 'Degraded', lastTransitionTime: seconds() } });
  monitor.says.status = 200;
  monitor.says.windows = [window('1', 'healthy', '2026Q3')];
  await expect
    .poll(() => world.output(), { timeout: 60_000 })
    .toMatch(/"reason":"it is degraded now: .*"msg":"a promotion has to wait"/);
  expect(await inStaging()).toEqual([]);
  says({});
});

it('proposes what has soaked for the next environment once, and leaves the merge to its people', async () => {
  monitor.says.status = 200;
  monitor.says.windows = [window('1', 'alert', '2026Q2'), window('1', 'healthy', '2026Q3')];
  await expect.poll(inStaging, { timeout: 60_000 }).toHaveLength(1);
  const [{ id } = { id: '' }] = await inStaging();
  const change = await world.until(id, proposed);
  expect(change).toMatchObject({ kind: 'deploy', version: '1', actor: 'alice@example.com' });
  const pull = await team.pull(change);
  expect(pull.title).toBe('Deploy home-equity 1 to staging');
  expect(pull.body).toMatch(/is promoted to \*\*staging\*\* by Fairway.*nobody has approved it for staging yet/);
  expect(pull.body).toMatch(
    /Promoted from dev, where change .* has been live since .*approved for dev by event 1 for dev/,
  );
  const live = await team.live(change.id);
  expect(live.version).toBe('1');
  // There is no promotion out of staging, and none of what is there already.
  const looked = team.changes('kind=deploy');
  expect((await looked).map(({ environment }) => environment).sort()).toEqual(['dev', 'staging']);
});

it('does not ask again after a person has said no', async () => {
  await team.deployed('2', 'dev');
  await expect.poll(inStaging, { timeout: 60_000 }).toHaveLength(2);
  const [{ id } = { id: '' }] = await inStaging();
  const change = await world.until(id, proposed);
  await world.onForge('PATCH', `/pulls/${change.pullRequest?.number}`, { state: 'closed' });
  await world.until(id, ({ phase }) => phase === 'rejected');
  await world.stopWriter('SIGKILL');
  await world.startWriter();
  // The next version shows that the promoter has looked; the one that was refused is still refused then.
  await team.deployed('3', 'dev');
  await expect.poll(inStaging, { timeout: 60_000 }).toHaveLength(3);
  expect((await inStaging()).map(({ version, phase }) => [version, phase]).slice(1)).toEqual([
    ['2', 'rejected'],
    ['1', 'live'],
  ]);
});

it('never promotes what is quarantined, nor what the next environment is past', async () => {
  const [third] = await inStaging();
  await team.live((await world.until(third?.id ?? '', proposed)).id);
  const bad = await team.deployed('4', 'dev');
  const rollback = (await team.rollback({ environment: 'dev', dedupeKey: 'before it goes further' })).body.change;
  await team.live(rollback.id, (await team.changes('environment=dev&phase=superseded'))[0]?.id);
  await world.until(bad.id, ({ phase }) => phase === 'rolled-back');
  await team.deployed('2', 'dev', 'an older one');
  // What comes after is proposed, so the promoter has looked at these as well.
  await team.deployed('5', 'dev');
  await expect.poll(inStaging, { timeout: 60_000 }).toHaveLength(4);
  expect((await inStaging()).map(({ version }) => version)).toEqual(['5', '3', '2', '1']);
});

it('keeps its event ids to itself', async () => {
  const answer = await world.api('POST', '/v1/approvals', {
    eventId: 'promotion:x:prod',
    model: MODEL,
    version: '1',
    environment: 'prod',
    actor: 'mallory',
  });
  expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining("are Fairway's own") } });
});

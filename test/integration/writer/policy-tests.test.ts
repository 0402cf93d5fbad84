import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../harness/ports.ts';
import { startWriter, type WriterProcess } from '../../harness/writer-process.ts';
import { MODEL, startWorld, type World } from './world.ts';

const PATH = `models/${MODEL}/policy.yaml`;

/** A monitor that judges three windows, and knows a bad policy by its text. */
async function startMonitor() {
  const says = { away: false, asked: [] as string[] };
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const answer = (status: number, value: object) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(value));
      };
      if (request.headers.authorization !== 'Bearer monitor-token') return answer(401, {});
      if (request.url !== '/v1/backtests') return answer(200, { windows: [] });
      const { policy } = JSON.parse(body) as { policy: string };
      says.asked.push(policy);
      if (says.away) return answer(503, {});
      if (policy.includes('nonsense')) return answer(400, { code: 'policy.invalid', detail: 'rules is nonsense.' });
      answer(200, { windows: windowsOf(policy), problems: [], summary: 'One pull request over 3 quarters.' });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { says, url: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

const windowsOf = (policy: string) =>
  ['2026Q1', '2026Q2', '2026Q3'].map((period, index) => {
    const alerts = policy.includes('strict') && index > 0;
    return {
      version: '1',
      environment: 'prod',
      period,
      rows: 900,
      state: alerts ? 'alert' : 'healthy',
      findings: alerts ? [{ rule: 'psi' }] : [],
      before: null,
      retrain: alerts && index === 1 ? 'opened' : null,
    };
  });

let world: World;
let monitor: Awaited<ReturnType<typeof startMonitor>>;
let second: WriterProcess;
beforeAll(async () => {
  monitor = await startMonitor();
  const more = { POLICY_TEST_EVERY_MS: '200', MONITOR_URL: monitor.url, MONITOR_TOKEN: 'monitor-token' };
  world = await startWorld({ writer: (env) => startWriter({ ...env, ...more }) });
  second = await startWriter({
    ...world.env,
    ...more,
    DATA_DIR: join(world.dir, 'second'),
    PORT: String(await freePort()),
  });
});
afterAll(async () => {
  await second.end('SIGTERM');
  await world.stop();
  monitor.stop();
});

/** Pushes a text of the policy to a branch; answers its commit. */
async function push(folder: string, branch: string, text: string): Promise<string> {
  const { git, forge } = world;
  await git.commit(folder, PATH, text);
  await git.ok(folder, ['push', '--quiet', 'origin', `HEAD:${branch}`], forge.owner);
  return (await git.ok(folder, ['rev-parse', 'HEAD'])).trim();
}

const open = async (branch: string): Promise<number> =>
  (await world.onForge('POST', '/pulls', { head: branch, base: 'main', title: branch, body: '' })).body.number;
const comments = async (number: number) =>
  (await world.onForge('GET', `/issues/${number}/comments`)).body.map(({ body }) => body);
const statusOf = async (commit: string) =>
  (await world.onForge('GET', `/commits/${commit}/status`)).body.statuses
    ?.filter(({ context }) => context === 'fairway/policy')
    .map(({ status }) => status);

it('says once what the policy of a pull request would have said, again for a new commit, and red for one that cannot be used', async () => {
  const folder = await world.clone('policy');
  const commit = await push(folder, 'tighter', 'strict: 1\n');
  const other = await world.clone('other');
  await world.git.commit(other, 'README.md', 'Nothing of a policy.\n');
  await world.git.ok(other, ['push', '--quiet', 'origin', 'HEAD:words'], world.forge.owner);
  const [number, words] = [await open('tighter'), await open('words')];
  await expect.poll(() => comments(number), { timeout: 60_000 }).toHaveLength(1);
  expect((await comments(number))[0]).toMatch(
    /2 of 3 windows would be judged otherwise; 1 retrain pull request instead of 0/,
  );
  await expect.poll(() => statusOf(commit), { timeout: 60_000 }).toEqual(['success']);

  const bad = await push(folder, 'tighter', 'nonsense: 1\n');
  await expect.poll(() => statusOf(bad), { timeout: 60_000 }).toEqual(['failure']);
  await expect
    .poll(() => comments(number), { timeout: 60_000 })
    .toEqual([expect.stringContaining('rules is nonsense.')]);
  expect(await comments(words)).toEqual([]);
});

it('finds its comment after a kill, waits for a monitor that is away, and asks nothing once all is said', async () => {
  const folder = await world.clone('again');
  monitor.says.away = true;
  const commit = await push(folder, 'again', 'strict: 2\n');
  const number = await open('again');
  const asked = () => monitor.says.asked.filter((text) => text === 'strict: 2\n').length;
  await expect.poll(asked, { timeout: 60_000 }).toBeGreaterThan(1);
  expect(await comments(number)).toEqual([]);
  await world.stopWriter('SIGKILL');
  monitor.says.away = false;
  await expect.poll(() => comments(number), { timeout: 60_000 }).toHaveLength(1);
  // The status comes last: whoever looks between the two asks again.
  await expect.poll(() => statusOf(commit)).toEqual(['success']);
  await world.startWriter();
  const settled = asked();
  // A third pull request shows that somebody looks on, without asking for this one again.
  await push(folder, 'third', 'strict: 3\n');
  const third = await open('third');
  await expect.poll(() => comments(third), { timeout: 60_000 }).toHaveLength(1);
  expect(asked()).toBe(settled);
  expect(await comments(number)).toHaveLength(1);
  expect(monitor.says.asked.filter((text) => text === 'strict: 3\n')).toHaveLength(1);
});

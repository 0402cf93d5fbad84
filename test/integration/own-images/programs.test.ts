import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { buildImages } from '../../../tools/images/build.ts';
import { entrypoint, IMAGES } from '../../../tools/images/catalog.ts';
import { ROOT } from '../../guards/source.ts';
import { freePort } from '../../harness/ports.ts';
import { startPostgres } from '../../harness/postgres.ts';
import { redisFound } from '../../harness/redis.ts';
import { eventually } from '../agent/agent.ts';
import { startModelServer } from '../agent/model-server.ts';
import { exchangesOf, startPostgresQueue, startRedisQueue } from '../agent/queues.ts';
import { secretFolder } from '../injector/injector.ts';
import { startWorld } from '../writer/world.ts';
import { openFolder, RANDOM_UID, remove, SOURCE, startProgram, unpack, writable, writeBase } from './support.ts';

let dir: string;
beforeAll(async () => {
  dir = openFolder();
  await writeBase(join(dir, 'base'), [{ os: 'linux', architecture: 'amd64' }]);
  const made = await buildImages({
    root: ROOT.replace(/\/$/, ''),
    only: [],
    oci: join(dir, 'images'),
    bases: [join(dir, 'base')],
    source: SOURCE,
    statements: undefined,
  });
  for (const one of made) unpack(join(dir, 'images'), one, rootOf(one.name.slice('fairway/'.length)));
});
afterAll(() => remove(dir));

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const rootOf = (name: string): string => join(dir, 'root', name);
function start(name: string, env: Readonly<Record<string, string>>, ...args: string[]) {
  const image = IMAGES.find((one) => one.name === name);
  if (image === undefined) throw new Error(`there is no image ${name}`);
  const program = startProgram(rootOf(name), [...entrypoint(image), ...args], env);
  cleanups.push(() => program.end('SIGKILL'));
  return program;
}
const chown = (folder: string): void => {
  if ('uid' in RANDOM_UID) spawnSync('chown', ['-R', `${RANDOM_UID.uid}:${RANDOM_UID.gid}`, folder]);
};

it.each([
  ['writer', [], 1, /DATABASE_URL is not set/],
  ['recorder', [], 1, /QUEUE_URL is not set/],
  ['monitor', [], 1, /SNAPSHOT_DIR is not set/],
  ['injector', [], 1, /TLS_CERT_FILE is not set/],
  ['agent', [], 1, /SPOOL_DIR is not set/],
  ['agent', ['tail'], 1, /TAIL_\w+ is not set/],
  // 1 would fail the Job at once; a setting can be mended.
  ['agent', ['smoke'], 2, /FAIRWAY_VERSION is not set/],
])('the %s, given %j and no setting, says what is missing and ends with %i', async (name, args, code, sentence) => {
  const program = start(name, {}, ...args);
  expect(await program.end()).toBe(code);
  expect(program.output()).toMatch(sentence);
  expect(program.output()).not.toMatch(/ReferenceError|Cannot find|ERR_MODULE/);
});

it.for([
  ['Redis', startRedisQueue, redisFound],
  ['PostgreSQL', startPostgresQueue, true],
] as const)(
  'the agent forwards, captures into a queue on %s and ends at SIGTERM',
  async ([, startQueue, found], context) => {
    if (!found) context.skip('redis-server is not installed');
    const [queue, model] = [await startQueue(), await startModelServer()];
    cleanups.push(
      () => model.stop(),
      () => queue.stop(),
    );
    const [port, admin] = [await freePort(), await freePort()];
    const agent = start('agent', {
      LISTEN_HOST: '127.0.0.1',
      LISTEN_PORT: String(port),
      ADMIN_PORT: String(admin),
      UPSTREAM: `127.0.0.1:${model.port}`,
      SPOOL_DIR: writable(join(dir, `spool-${port}`)),
      QUEUE_URL: queue.url,
      FAIRWAY_MODEL: 'home-equity',
      FAIRWAY_ENVIRONMENT: 'dev',
      AGENT_NAME: 'agent-of-an-image',
    });
    await agent.ready(admin);
    const answer = await fetch(`http://127.0.0.1:${port}/v1/models/home-equity:predict`, {
      method: 'POST',
      body: '{"instances":[1]}',
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toHaveProperty('predictions');
    await eventually(async () => exchangesOf(await queue.packs()).length === 1, 60_000);
    const [exchange] = exchangesOf(await queue.packs());
    expect(exchange?.head.id).toBe(answer.headers.get('x-fairway-id'));
    expect(await agent.end('SIGTERM')).toBe(0);
  },
);

it('recorder and monitor prepare their database, become ready and end at SIGTERM', async () => {
  const database = await startPostgres();
  cleanups.push(() => database.stop());
  const queue = redisFound ? await startRedisQueue() : database;
  if (queue !== database) cleanups.push(() => queue.stop());
  for (const name of ['recorder', 'monitor']) {
    const port = await freePort();
    const program = start(name, {
      HOST: '127.0.0.1',
      PORT: String(port),
      DATABASE_URL: database.url,
      QUEUE_URL: queue.url,
      WRITER_URL: 'http://127.0.0.1:9',
      WRITER_TOKEN: 'a token of the test',
      MONITOR_TOKEN: 'another token of the test',
      SNAPSHOT_DIR: writable(join(dir, 'snapshots')),
    });
    await program.ready(port);
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('fairway_');
    expect(await program.end('SIGTERM')).toBe(0);
  }
});

it('the injector serves with its certificate and ends at SIGTERM', async () => {
  const secret = secretFolder();
  cleanups.push(secret.remove);
  secret.put(secret.identity());
  chown(secret.root);
  const [port, admin] = [await freePort(), await freePort()];
  const injector = start('injector', {
    HOST: '127.0.0.1',
    PORT: String(port),
    ADMIN_PORT: String(admin),
    TLS_CERT_FILE: secret.cert,
    TLS_KEY_FILE: secret.key,
    AGENT_IMAGE: `fairway/agent@sha256:${'a'.repeat(64)}`,
  });
  await injector.ready(admin);
  expect(await injector.end('SIGTERM')).toBe(0);
});

it('the writer clones with git, answers and ends at SIGTERM', async () => {
  const codes: Array<number | null> = [];
  const world = await startWorld({
    writer: async (env) => {
      chown(dirname(env['DATA_DIR'] ?? ''));
      const port = await freePort();
      const writer = start('writer', { HOST: '127.0.0.1', PORT: String(port), ...env });
      await writer.ready(port);
      const end = async (signal: NodeJS.Signals) => void codes.push(await writer.end(signal));
      return { port, pid: writer.child.pid ?? 0, end, output: () => writer.output() };
    },
  });
  const { status } = await world.api('GET', '/v1/changes');
  const mirrored = readdirSync(join(world.dir, 'writer'));
  await world.stop();
  expect(status).toBe(200);
  expect(mirrored).not.toEqual([]);
  expect(codes).toEqual([0]);
});

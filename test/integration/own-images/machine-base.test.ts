import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildImages, type Made } from '../../../tools/images/build.ts';
import { ROOT } from '../../guards/source.ts';
import { freePort } from '../../harness/ports.ts';
import { eventually } from '../agent/agent.ts';
import { startModelServer } from '../agent/model-server.ts';
import { exchangesOf, startPostgresQueue } from '../agent/queues.ts';
import { program, unpackImage, writeMachineBase } from './machine-base.ts';
import { openFolder, remove, SOURCE } from './support.ts';

/** A change of root is the part of a container runtime that a missing library or a wrong path shows in. */
const lacking = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...['skopeo', 'git', 'chroot', 'ldd'].filter((name) => program(name) === undefined),
];
const why = `not on this machine: ${lacking.join(', ')}`;

let dir: string;
let made: readonly Made[] = [];
beforeAll(async () => {
  if (lacking.length > 0) return;
  dir = openFolder();
  const [drawn, bases] = [join(dir, 'drawn'), join(dir, 'bases')];
  writeMachineBase(join(dir, 'scratch'), drawn, program('git') ?? '');
  // As docs/images.md says to bring a base here.
  execFileSync(program('skopeo') ?? '', ['copy', '--all', `oci:${drawn}:node`, `oci:${bases}:node`], {
    stdio: 'ignore',
  });
  made = await buildImages({
    root: ROOT.replace(/\/$/, ''),
    only: ['agent', 'writer'],
    oci: join(dir, 'images'),
    bases: [`${bases}:node`],
    source: SOURCE,
    statements: undefined,
  });
});
afterAll(() => {
  if (lacking.length === 0) remove(dir);
});

/** The image's file system, and what is started in it: its entry point, as a uid of OpenShift's, with its environment alone. */
function container(name: string) {
  const image = made.find((one) => one.name === `fairway/${name}`);
  if (image === undefined) throw new Error(`there is no image ${name}`);
  const root = join(dir, 'root', name);
  const { Env, Entrypoint, User } = unpackImage(join(dir, 'images'), image.digest, root);
  // What every runtime puts there.
  mkdirSync(join(root, 'dev'));
  writeFileSync(join(root, 'dev/null'), '');
  chmodSync(join(root, 'dev/null'), 0o666);
  const own = Object.fromEntries(
    Env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  const inside = ['--userspec=1000650000:0', root];
  const chroot = program('chroot') ?? '';
  return {
    root,
    User,
    run: (...argv: readonly string[]) => spawnSync(chroot, [...inside, ...argv], { env: own, encoding: 'utf8' }),
    start: (env: Readonly<Record<string, string>>) =>
      spawn(chroot, [...inside, ...Entrypoint], { env: { ...own, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }),
  };
}

it('the agent runs on a Debian-like base in several layers: it forwards, captures and ends at SIGTERM', async (context) => {
  if (lacking.length > 0) context.skip(why);
  const { root, User, start } = container('agent');
  expect(User).toBe('1001:0');
  expect(existsSync(join(root, 'etc/motd'))).toBe(false);
  mkdirSync(join(root, 'var/spool'));
  chmodSync(join(root, 'var/spool'), 0o777);
  const [queue, model] = [await startPostgresQueue(), await startModelServer()];
  const [port, admin] = [await freePort(), await freePort()];
  const agent = start({
    LISTEN_HOST: '127.0.0.1',
    LISTEN_PORT: String(port),
    ADMIN_PORT: String(admin),
    UPSTREAM: `127.0.0.1:${model.port}`,
    SPOOL_DIR: '/var/spool',
    QUEUE_URL: queue.url,
    FAIRWAY_MODEL: 'home-equity',
    FAIRWAY_ENVIRONMENT: 'dev',
    AGENT_NAME: 'agent-of-a-container',
  });
  let said = '';
  for (const stream of [agent.stdout, agent.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(agent, 'close');
  try {
    await eventually(async () => {
      if (agent.exitCode !== null) throw new Error(`it ended with ${agent.exitCode}: ${said}`);
      return (await fetch(`http://127.0.0.1:${admin}/readyz`)).status === 200;
    }, 60_000);
    const answer = await fetch(`http://127.0.0.1:${port}/v1/models/home-equity:predict`, {
      method: 'POST',
      body: '{"instances":[1]}',
    });
    expect(answer.status).toBe(200);
    await eventually(async () => exchangesOf(await queue.packs()).length === 1, 60_000);
    agent.kill('SIGTERM');
    await closed;
    expect(agent.exitCode).toBe(0);
  } finally {
    agent.kill('SIGKILL');
    await Promise.all([closed, model.stop(), queue.stop()]);
  }
});

it('the writer finds Node and Git on such a base, and says what is not set', async (context) => {
  if (lacking.length > 0) context.skip(why);
  const { run, start } = container('writer');
  expect(run('git', '--version')).toMatchObject({ stdout: expect.stringMatching(/^git version/), stderr: '' });
  expect(run('node', '--version').stdout.trim()).toBe(process.version);
  const writer = start({});
  let said = '';
  for (const stream of [writer.stdout, writer.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(writer, 'close');
  expect([writer.exitCode, said]).toEqual([1, expect.stringMatching(/DATABASE_URL is not set/)]);
});

import { randomBytes } from 'node:crypto';
import { openTestPool } from '../../harness/postgres.ts';
import { redisFound } from '../../harness/redis.ts';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { type Agent, eventually, spoolFolder, startAgent } from '../agent/agent.ts';
import { startModelServer } from '../agent/model-server.ts';
import { exchangesOf, startGate, startPostgresQueue, startRedisQueue } from '../agent/queues.ts';
import { mountSecret } from './mounted.ts';

const [FIRST, SECOND] = ['first-password-4711', 'second-password-0815'];

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A queue server with a login whose password can be rotated, as an administrator does it: what is connected breaks. */
type Guarded = { url(password: string): string; rotate(): Promise<unknown>; packs: Queue['packs'] };
type Queue = Awaited<ReturnType<typeof startRedisQueue>>;

async function guardedRedis(): Promise<Guarded> {
  const queue = await startRedisQueue();
  ends.push(() => queue.stop());
  const admin = new Redis(queue.url);
  ends.push(() => admin.disconnect());
  const login = (...rules: string[]) => admin.call('ACL', 'SETUSER', 'agent', ...rules);
  await login('on', 'allkeys', 'allchannels', 'allcommands', `>${FIRST}`);
  return {
    url: (password) => as(queue.url, 'agent', password),
    rotate: async () => {
      await login('resetpass', `>${SECOND}`);
      await admin.call('CLIENT', 'KILL', 'USER', 'agent');
    },
    packs: () => queue.packs(),
  };
}

async function guardedPostgres(): Promise<Guarded> {
  const queue = await startPostgresQueue();
  ends.push(() => queue.stop());
  const admin = openTestPool(queue.url);
  // Of the whole server: another for each try.
  const role = `fairway_agent_${randomBytes(6).toString('hex')}`;
  ends.push(async () => {
    await admin.query(`reassign owned by ${role} to current_user`);
    await admin.query(`drop role ${role}`);
    await admin.end();
  });
  await admin.query(`create role ${role} login superuser password '${FIRST}'`);
  const gate = await startGate(queue.url);
  ends.push(() => gate.stop());
  await gate.open();
  return {
    url: (password) => as(gate.url, role, password),
    // Cut off on the way: a session that is still being opened with the first password has no user yet, and pg_terminate_backend
    // would leave it out. BullMQ opens a second one beside its first add.
    rotate: async () => {
      gate.shut();
      await admin.query(`alter role ${role} password '${SECOND}'`);
      await gate.open();
    },
    packs: () => queue.packs(),
  };
}

function as(place: string, user: string, password: string): string {
  const url = new URL(place);
  url.username = user;
  url.password = password;
  return url.href;
}

/** An agent whose secrets are files, before a model server, and what it logged. */
async function start(values: Readonly<Record<string, string>>, env: Record<string, string> = {}) {
  const secret = mountSecret(values);
  const spool = spoolFolder();
  const model = await startModelServer();
  const agent = await startAgent({
    upstream: model.port,
    queueUrl: '',
    spool: spool.path,
    env: { ...secret.env, ...env },
  });
  let log = '';
  agent.child.stdout?.on('data', (text) => (log += text));
  ends.push(
    () => secret.remove(),
    () => spool.remove(),
    () => model.stop(),
    () => agent.end('SIGTERM'),
  );
  return { agent, write: secret.write, log: () => log };
}

async function predict(agent: Agent, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const body = '{"instances":[{"name":"Ada"}]}';
    const answer = await fetch(`${agent.url}/v1/models/home-equity:predict`, { method: 'POST', body });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  }
}

const refusals = async (agent: Agent) =>
  Number(/^fairway_agent_queue_failures_total (\d+)/m.exec(await agent.metrics())?.[1]);

const sent = (agent: Agent, count: number) => eventually(async () => (await agent.account()).sent === count);

describe.each([
  ['PostgreSQL', guardedPostgres, true],
  ['Redis', guardedRedis, redisFound],
] as const)('with the queue on %s (Redis: skipped where redis-server is not installed)', (_, guarded, available) => {
  test.skipIf(!available)('a rotated password is taken from its file, while the agent forwards', async () => {
    const queue = await guarded();
    const { agent, write, log } = await start({ QUEUE_URL: queue.url(FIRST) });
    await predict(agent, 5);
    await sent(agent, 5);
    await queue.rotate();
    await predict(agent, 5);
    // The first may have failed because its connection was gone; the next ones are refused for their password.
    await eventually(async () => (await refusals(agent)) >= 3).catch(async (error: Error) => {
      throw new Error(`${error.message}; ${JSON.stringify(await agent.account())}; ${log()}`);
    });
    expect(await agent.metrics()).toContain('fairway_agent_queue_up 0');
    await eventually(async () => (await agent.account()).inSpool === 5);
    write({ QUEUE_URL: queue.url(SECOND) });
    await sent(agent, 10);
    expect(agent.child.exitCode).toBeNull();
    await eventually(async () => log().includes('"settings":["QUEUE_URL"],"msg":"changed secrets are in use"'));
    expect(log()).not.toMatch(/password-\d/);
    const seqs = exchangesOf(await queue.packs()).map(({ head }) => head.seq);
    expect(seqs.toSorted((x, y) => x - y)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

test('another server, another prefix and another key of the hashes are taken in place, and what is no use is told', async () => {
  const [before, after] = [await startPostgresQueue(), await startPostgresQueue()];
  ends.push(
    () => before.stop(),
    () => after.stop(),
  );
  const keys = { old: 'k'.repeat(32), new: 'n'.repeat(32) };
  const first = { QUEUE_URL: before.url, QUEUE_PREFIX: 'first', CAPTURE_HASH_KEY: keys.old };
  const { agent, write, log } = await start(first, { CAPTURE_REDACT: 'name=hash' });
  const pseudonym = async (seq: number) => {
    const found = exchangesOf(await after.packs()).find(({ head }) => head.seq === seq);
    return /"name":"([\w-]{22})"/.exec(Buffer.from(found?.request ?? []).toString('utf8'))?.[1];
  };
  await predict(agent, 1);
  await sent(agent, 1);
  expect(await before.packs()).toEqual([]);
  write({ ...first, QUEUE_URL: 'my-secret-but-no-url' });
  await eventually(async () => log().includes('QUEUE_URL must be a URL'));
  expect(log()).not.toContain('my-secret-but-no-url');
  write({ QUEUE_URL: after.url, QUEUE_PREFIX: 'fairway', CAPTURE_HASH_KEY: keys.old });
  await eventually(async () =>
    log().includes('"settings":["QUEUE_URL","QUEUE_PREFIX"],"msg":"changed secrets are in use"'),
  );
  await predict(agent, 1);
  await sent(agent, 2);
  const old = await pseudonym(2);
  expect(old).toBeDefined();
  write({ QUEUE_URL: after.url, QUEUE_PREFIX: 'fairway', CAPTURE_HASH_KEY: keys.new });
  await eventually(async () => log().includes('"settings":["CAPTURE_HASH_KEY"]'));
  await predict(agent, 1);
  await sent(agent, 3);
  const next = await pseudonym(3);
  expect(next).toBeDefined();
  expect(next).not.toBe(old);
  expect(agent.child.exitCode).toBeNull();
});

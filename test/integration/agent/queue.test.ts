import { readdirSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { redisFound } from '../../harness/redis.ts';
import { type Agent, type AgentOptions, eventually, spoolFolder, startAgent } from './agent.ts';
import { startModelServer } from './model-server.ts';
import { exchangesOf, type QueueServer, startGate, startPostgresQueue, startRedisQueue } from './queues.ts';

const TARGET = '/v1/models/home-equity:predict';

if (!redisFound) console.log('Redis: skipped, no redis-server binary is on the PATH.');

/** A queue, a model server and a spool, which are gone after the test however it ends; `agent` starts one among them. */
async function startPlace(startQueue: () => Promise<QueueServer>) {
  const queue = await startQueue();
  onTestFinished(() => queue.stop());
  const model = await startModelServer();
  onTestFinished(() => model.stop());
  const spool = spoolFolder();
  onTestFinished(() => spool.remove());
  const gate = await startGate(queue.url);
  onTestFinished(() => gate.stop());
  const agent = async (queueUrl = queue.url): Promise<Agent> => {
    const options: AgentOptions = { upstream: model.port, queueUrl, spool: spool.path };
    const started = await startAgent(options);
    onTestFinished(async () => void (await started.end('SIGKILL')));
    return started;
  };
  return { queue, spool, gate, agent };
}

async function predict(agent: Agent): Promise<string> {
  const answer = await fetch(`${agent.url}${TARGET}`, { method: 'POST', body: '{"instances":[1]}' });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  return answer.headers.get('x-fairway-id') as string;
}

/** Predicts without pause on some connections until told to stop; the ids of the answers that came whole. */
function load(agent: Agent, connections = 4): { ids: string[]; stop(): Promise<void> } {
  const ids: string[] = [];
  const stopped = new AbortController();
  const worker = async () => {
    while (!stopped.signal.aborted) ids.push(await predict(agent).catch(() => ''));
  };
  const workers = Promise.all(Array.from({ length: connections }, worker));
  return {
    ids,
    stop: async () => {
      stopped.abort();
      await workers;
    },
  };
}

/** Far more than a second's worth of what the clients of a test send. */
const MOMENTS = 2000;

const answered = (ids: readonly string[]) => ids.filter((id) => id !== '');

describe.each([
  ['PostgreSQL', startPostgresQueue, true],
  ['Redis', startRedisQueue, redisFound],
])('with the queue on %s (Redis: skipped where redis-server is not installed)', (_, startQueue, available) => {
  const run = test.skipIf(!available);

  run('down at start, then there, cut, frozen, and there again: every exchange arrives once', async () => {
    const { queue, spool, gate, ...place } = await startPlace(startQueue);
    const agent = await place.agent(gate.url);
    const ids: string[] = [];
    const some = async () => {
      for (let i = 0; i < 20; i++) ids.push(await predict(agent));
    };
    const allSent = () => eventually(async () => (await agent.account()).sent === ids.length);
    await some();
    await eventually(async () => /fairway_agent_queue_failures_total [1-9]/.test(await agent.metrics()));
    // The queue may have refused the first before the last is captured.
    await expect.poll(() => agent.account()).toMatchObject({ captured: 20, sent: 0, inSpool: 20 });
    await gate.open();
    await allSent();
    gate.shut();
    await some();
    await gate.open();
    await allSent();
    gate.freeze();
    const { sent } = await agent.account();
    await some();
    // All are answered, and nothing has passed the gate: none has waited for the queue.
    expect((await agent.account()).sent).toBe(sent);
    gate.shut();
    await gate.open();
    await allSent();
    expect(await agent.end('SIGTERM')).toBe(0);
    const stored = exchangesOf(await queue.packs()).map(({ head }) => head.id);
    expect(stored.toSorted()).toEqual(ids.toSorted());
    expect(readdirSync(spool.path)).toEqual([]);
  });

  run('kill -9 under load, again and again: what is lost is the end of its epoch, and that is told', async () => {
    const { queue, ...place } = await startPlace(startQueue);
    const seen: Array<{ epoch: string; safe: number }> = [];
    const all: string[] = [];
    for (let round = 0; round < 3; round++) {
      const agent = await place.agent();
      const clients = load(agent);
      // Some packs sent, some not: the kill comes while both happen.
      await eventually(async () => {
        const { epoch, sent, inSpool } = await agent.account();
        seen[round] = { epoch, safe: sent + inSpool };
        return sent > 100;
      }, 60_000);
      await agent.end('SIGKILL');
      await clients.stop();
      all.push(...answered(clients.ids));
    }
    const last = await place.agent();
    await eventually(async () => (await last.account()).earlier.inSpool === 0, 60_000);
    expect(await last.end('SIGTERM')).toBe(0);
    const packs = await queue.packs();
    const ids = exchangesOf(packs).map(({ head }) => head.id);
    expect(new Set(ids).size).toBe(ids.length);
    let told = 0;
    for (const { epoch, safe } of seen) {
      const own = packs.filter((pack) => pack.epoch === epoch).toSorted((a, b) => a.first - b.first);
      const numbers = exchangesOf(own).map(({ head }) => head.seq);
      expect(numbers).toEqual(numbers.map((_, i) => i + 1));
      expect(numbers.length).toBeGreaterThanOrEqual(safe);
      // A pack without exchanges closes the epoch where its last mark expected more than is stored.
      const [closing, ...more] = own.filter(({ exchanges }) => exchanges === 0);
      expect(more).toEqual([]);
      if (!closing) continue;
      const gap = closing.last - closing.first + 1;
      expect([closing.first, closing.dropped.killed]).toEqual([numbers.length + 1, gap]);
      told += gap;
    }
    const missing = all.filter((id) => !ids.includes(id)).length;
    expect(all.length).toBeGreaterThan(300);
    // Without what was told only the moments count in which the hop had outrun its mark.
    expect(missing).toBeLessThan(told + MOMENTS);
  });
});

test('SIGTERM under load: what was answered is sent before the process ends, with the queue away it stays', async () => {
  const { queue, spool, gate, ...place } = await startPlace(startPostgresQueue);
  const agent = await place.agent();
  const clients = load(agent);
  await eventually(async () => (await agent.account()).sent > 50);
  const ended = agent.end('SIGTERM');
  await clients.stop();
  expect(await ended).toBe(0);
  const stored = () => queue.packs().then((packs) => exchangesOf(packs).map(({ head }) => head.id));
  expect((await stored()).toSorted()).toEqual(answered(clients.ids).toSorted());

  const away = await place.agent(gate.url);
  const ids = [await predict(away), await predict(away)];
  await eventually(async () => /fairway_agent_queue_failures_total [1-9]/.test(await away.metrics()));
  expect(await away.end('SIGTERM')).toBe(0);
  expect(readdirSync(spool.path).length).toBe(1);
  const heir = await place.agent();
  await eventually(async () => (await heir.account()).earlier.sent === 2);
  await heir.end('SIGTERM');
  expect(await stored()).toEqual(expect.arrayContaining(ids));
});

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Agent, eventually, spoolFolder, startAgent } from './agent.ts';
import { startModelServer } from './model-server.ts';
import { exchangesOf, startPostgresQueue } from './queues.ts';

const PATIENCE_MS = 60_000;
const TARGET = '/v1/models/home-equity:predict';

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Loaded into both threads of the agent: the capture thread comes to this end as soon as the file is there. */
const ending = (file: string, end: string) => `
import { isMainThread } from 'node:worker_threads';
import { existsSync, unlinkSync } from 'node:fs';
const heap = [];
if (!isMainThread) setInterval(() => {
  if (!existsSync(${JSON.stringify(file)})) return;
  unlinkSync(${JSON.stringify(file)});
  ${end}
}, 5).unref();`;

/** One caller that never pauses; all answers' ids, and what was not answered with 200. */
function caller(agent: Agent): { ids: string[]; failures: string[]; stop(): Promise<void> } {
  const [ids, failures, stopped]: [string[], string[], AbortController] = [[], [], new AbortController()];
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      const answer = await fetch(`${agent.url}${TARGET}`, { method: 'POST', body: '{"instances":[1]}' });
      await answer.arrayBuffer();
      if (answer.status === 200) ids.push(answer.headers.get('x-fairway-id') ?? '');
      else failures.push(String(answer.status));
    }
  })().catch((error: Error) => void failures.push(error.message));
  return {
    ids,
    failures,
    stop: async () => {
      stopped.abort();
      await loop;
    },
  };
}

const total = async (agent: Agent, name: string): Promise<number> =>
  Number(new RegExp(`^fairway_agent_${name}_total (\\d+)$`, 'm').exec(await agent.metrics())?.[1]);

test.each([
  ['ends', 'process.exit(3);'],
  ['runs out of memory', 'for (;;) heap.push(new Array(10_000).fill(Math.random()));'],
])(
  'when the capture thread %s, predictions go on, a new epoch begins, and what was in memory is counted',
  async (_, end) => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-thread-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'end');
    const [queue, model, spool] = [await startPostgresQueue(), await startModelServer(), spoolFolder()];
    cleanups.push(
      () => spool.remove(),
      () => model.stop(),
      () => queue.stop(),
    );
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(ending(file, end))}`;
    const agent = await startAgent({
      upstream: model.port,
      queueUrl: queue.url,
      spool: spool.path,
      env: { NODE_OPTIONS },
    });
    cleanups.push(() => agent.end('SIGKILL'));
    const asking = caller(agent);
    await eventually(async () => asking.ids.length > 100, PATIENCE_MS);
    await eventually(async () => (await agent.account()).sent > 0, PATIENCE_MS);
    const [{ epoch }, sent] = [await agent.account(), await total(agent, 'sent')];
    writeFileSync(file, '');
    await eventually(async () => !existsSync(file), PATIENCE_MS);
    await eventually(async () => (await agent.account()).epoch !== epoch, PATIENCE_MS);
    const before = asking.ids.length;
    await eventually(async () => asking.ids.length > before + 100, PATIENCE_MS);
    await asking.stop();
    expect(asking.failures).toEqual([]);
    await eventually(async () => {
      const { inSpool, redacting, earlier } = await agent.account();
      return inSpool + redacting + earlier.inSpool === 0;
    }, PATIENCE_MS);
    const packs = await queue.packs();
    const there = new Set(exchangesOf(packs).map(({ head }) => head.id));
    const missing = asking.ids.filter((id) => !there.has(id));
    const told = Math.max(
      0,
      ...packs.filter((pack) => pack.epoch === epoch).map(({ dropped }) => dropped['killed'] ?? 0),
    );
    // Of an epoch of a process that lives it is known exactly.
    expect(missing).toHaveLength(told);
    expect((await agent.account()).earlier.killed).toBe(told);
    expect(new Set(packs.map((pack) => pack.epoch)).size).toBeGreaterThan(1);
    // Of the metrics, unlike the account, no total begins again.
    expect(await total(agent, 'captured')).toBe(asking.ids.length);
    expect(await total(agent, 'sent')).toBeGreaterThanOrEqual(sent + (await agent.account()).sent);
  },
  300_000,
);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGENT_MEMORY_MIB, agentMemory } from '@fairway/core';
import { freePort } from '../harness/ports.ts';
import { redisFound } from '../harness/redis.ts';
import { startRedisQueue } from '../integration/agent/queues.ts';
import { MODEL, modelVersion } from '../integration/monitor/support.ts';
import { csvRow, HEADER, range } from '../integration/tail/world.ts';
import { peakMb, RESIDENT_MB } from './resident.ts';
import { atMost, type Result } from './result.ts';
import { shippedAgent } from './shipped.ts';
import { tieToUs } from '../../packages/cli/src/stack/tied.ts';

const ROWS = 200_000;
const WAIT_MS = 300_000;

/** What a tail holds, started as its manifest has it, while it catches up with a log of 200,000 rows. */
async function resident(): Promise<Result[]> {
  const result = (mb: number, note: string) => atMost('tail-resident', mb, 'MB', RESIDENT_MB.tail, note);
  if (!redisFound) return [{ ...result(0, 'skipped: redis-server not installed on this machine'), ok: false }];
  const [dir, queue, port] = [mkdtempSync(join(tmpdir(), 'fairway-bench-')), await startRedisQueue(), await freePort()];
  writeFileSync(join(dir, 'modelversion.json'), JSON.stringify(modelVersion('1')));
  writeFileSync(join(dir, 'scores.csv'), HEADER + range(0, ROWS).map(csvRow).join(''));
  const env = {
    PATH: process.env['PATH'],
    ...agentMemory(AGENT_MEMORY_MIB),
    LISTEN_HOST: '127.0.0.1',
    ADMIN_PORT: String(port),
    QUEUE_URL: queue.url,
    FAIRWAY_MODEL: MODEL,
    FAIRWAY_ENVIRONMENT: 'prod',
    TAIL_FILES: join(dir, 'scores.csv'),
    TAIL_STATE_DIR: join(dir, 'state'),
    TAIL_MODEL_VERSIONS: join(dir, 'modelversion.json'),
    TAIL_TIME: 'time',
    TAIL_SCORE: 'score',
    TAIL_VERSION: '1',
  };
  const tail = spawn(process.execPath, [...(await shippedAgent(dir)), 'tail'], { env, stdio: 'ignore' });
  tieToUs(tail, 'SIGKILL');
  const ended = once(tail, 'exit');
  try {
    const began = performance.now();
    await caughtUp(port);
    const rate = Math.round((ROWS * 1000) / (performance.now() - began));
    return [result(peakMb(tail.pid ?? 0), `largest resident set; ${ROWS} rows of a CSV in one go, ${rate}/s`)];
  } finally {
    tail.kill('SIGTERM');
    await ended;
    await queue.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function caughtUp(port: number): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const account = await fetch(`http://127.0.0.1:${port}/account`).then(
      (answer) => answer.json() as Promise<{ sent: number }>,
      () => ({ sent: 0 }),
    );
    if (account.sent >= ROWS) return;
    if (performance.now() > deadline) throw new Error(`${account.sent} of ${ROWS} rows were sent in time`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const TAIL = { 'tail-resident': resident };
